"""What can be wrong around the two services: facts looked at once, and small pure judgements over them. Repairs
nothing, prints nothing."""
