# Secrets of sealwatch's own in a KV version 2 mount called `secret`: the value, and whether it has a new version.
# Only when its configuration refers to them (`vault:secret/data/sealwatch/webhook#key`); name each path that it refers to.
# vault policy write sealwatch-secrets sealwatch-secrets.hcl

path "secret/data/sealwatch/webhook" {
  capabilities = ["read"]
}
path "secret/metadata/sealwatch/webhook" {
  capabilities = ["read"]
}
