"""Files and folders that a killed run leaves whole, and locks on what is being written."""
