# What sealwatch may ask Vault: nothing else, no sudo, no secret. A test keeps this and core/own-calls.ts equal.
# vault policy write sealwatch sealwatch.hcl

# The heartbeat: must come back on every audit device. The policy `default` allows it too, as the next three.
path "auth/token/lookup-self" {
  capabilities = ["read"]
}
path "auth/token/renew-self" {
  capabilities = ["update"]
}
# At an orderly stop sealwatch ends the token that it logged in for.
path "auth/token/revoke-self" {
  capabilities = ["update"]
}
# Whether these paths are allowed, for `sealwatch doctor`.
path "sys/capabilities-self" {
  capabilities = ["update"]
}

# The lifetime of a lease, by its id.
path "sys/leases/lookup" {
  capabilities = ["update"]
}

# The lifetime of a token, by its accessor.
path "auth/token/lookup-accessor" {
  capabilities = ["update"]
}

# The names that people gave entities and groups, and what they may.
path "identity/entity/id/+" {
  capabilities = ["read"]
}
path "identity/group/id/+" {
  capabilities = ["read"]
}

# Which engine or method is mounted where, and the lifetimes that it is tuned to.
path "sys/mounts" {
  capabilities = ["read"]
}
path "sys/auth" {
  capabilities = ["read"]
}

# The hash that a device shows for a lease id or an accessor that sealwatch knows, to find it again in the log.
path "sys/audit-hash/+" {
  capabilities = ["update"]
}
