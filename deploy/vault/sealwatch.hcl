# What sealwatch may ask Vault: nothing else, no sudo, no secret.
# vault policy write sealwatch sealwatch.hcl

# The heartbeat: must come back on every audit device. The policy `default` allows it too.
path "auth/token/lookup-self" {
  capabilities = ["read"]
}

# The lifetime of a lease, by its id.
path "sys/leases/lookup" {
  capabilities = ["update"]
}

# The lifetime of a token, by its accessor.
path "auth/token/lookup-accessor" {
  capabilities = ["update"]
}

# The name that people gave an entity.
path "identity/entity/id/*" {
  capabilities = ["read"]
}

# The hash that a device shows for a value that sealwatch knows, to find it again in the log.
# One path per audit device; these are the names that the README beside this file uses.
path "sys/audit-hash/file" {
  capabilities = ["update"]
}
path "sys/audit-hash/sealwatch" {
  capabilities = ["update"]
}
