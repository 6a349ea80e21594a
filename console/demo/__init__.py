"""A lively example: an incident, a launch, and as much other work as wanted. All of it is done by the verbs."""
