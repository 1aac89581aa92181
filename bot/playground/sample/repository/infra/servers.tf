locals {
  servers = {
    web = { size = "s", image = "debian-12" }
  }
}

module "server" {
  source   = "./modules/server"
  for_each = local.servers

  name           = "${var.environment}-${each.key}"
  size           = each.value.size
  image          = each.value.image
  region         = var.region
  create_seconds = lookup(each.value, "create_seconds", null)
}
