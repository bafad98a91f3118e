"""CloudFormation: templates, stacks, alarms; onto AWS or the local AWS."""
