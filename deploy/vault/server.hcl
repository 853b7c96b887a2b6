# A Vault to try sealwatch on: one node, its storage in a folder, no TLS. Not for earnest.
storage "file" {
  path = "/vault/file"
}

listener "tcp" {
  address     = "0.0.0.0:8200"
  tls_disable = true
}

api_addr      = "http://vault:8200"
disable_mlock = true
ui            = true
