"""What people change from the pages: devices one by one and many at once, modules, replicas."""
