"""Several replicas: who leads, which replicas there are, who polls which device."""
