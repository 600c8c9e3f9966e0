"""Whether the tokens of a consent open the organisation that the browser named: asked before they replace others."""
