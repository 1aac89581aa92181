resource "playground_dns_record" "www" {
  name  = "www.${local.name}.example.com"
  value = module.server["web"].ip
  ttl   = 300
}
