"""``/actuator``, as in Spring Boot 3."""
