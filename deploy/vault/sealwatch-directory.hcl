# What policies and roles say, so that sealwatch can answer who could read a secret, and how long credentials of a role live.
# Optional: without it these answers come from the audit log alone. It shows no secret, but how Vault is guarded.
# vault policy write sealwatch-directory sealwatch-directory.hcl

path "sys/policies/acl/+" {
  capabilities = ["read"]
}

# Roles of auth methods, mounted under one name or two.
path "auth/+/role/+" {
  capabilities = ["read"]
}
path "auth/+/+/role/+" {
  capabilities = ["read"]
}
path "auth/+/roles/+" {
  capabilities = ["read"]
}
path "auth/+/+/roles/+" {
  capabilities = ["read"]
}
path "auth/+/certs/+" {
  capabilities = ["read"]
}
path "auth/+/+/certs/+" {
  capabilities = ["read"]
}
path "auth/+/users/+" {
  capabilities = ["read"]
}
path "auth/+/+/users/+" {
  capabilities = ["read"]
}
path "auth/+/groups/+" {
  capabilities = ["read"]
}
path "auth/+/+/groups/+" {
  capabilities = ["read"]
}

# Roles of secrets engines: name each mount. Never write `+/roles/+`: in a KV version 1 mount that is a secret.
path "database/roles/+" {
  capabilities = ["read"]
}
path "aws/roles/+" {
  capabilities = ["read"]
}
