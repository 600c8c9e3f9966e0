"""Sign-ins at providers: a person's trip to the consent page and back."""
