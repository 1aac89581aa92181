resource "playground_dns_record" "www" {
  name  = "www.${var.environment}.example.com"
  value = module.server["web"].ip
  ttl   = 300
}
