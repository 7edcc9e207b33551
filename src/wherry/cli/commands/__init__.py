"""The commands, a file each: options to one frozen value, a flow, its report as text."""
