"""What several tests share: generators of data that is made up but consistent."""
