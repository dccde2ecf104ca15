"""Read leases: when a replica may answer scrapes of its devices from memory, and what another one does before it
answers in its place."""
