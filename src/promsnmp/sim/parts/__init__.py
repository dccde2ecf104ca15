"""What simulated devices are made of: interfaces, chassis, and the tables of servers, power supplies and printers."""
