"""Who is behind the ids of users, as every worker knows it: whom to forget, and which ids are one person's."""
