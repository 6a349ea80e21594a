"""Example data: an incident, a launch, and any amount of other work. The verbs create all of it."""
