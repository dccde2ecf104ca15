"""From columns and health definitions to samples under one vocabulary; pure."""
