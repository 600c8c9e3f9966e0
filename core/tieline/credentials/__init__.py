"""A practice's apps at providers, and the credentials that people's consents brought: kept, renewed, lost, let go."""
