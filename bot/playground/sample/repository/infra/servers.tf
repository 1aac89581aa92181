locals {
  # Instances of one environment do not share names.
  name = var.towpath_instance == "" ? var.environment : "${var.environment}-${var.towpath_instance}"

  servers = {
    web = { size = "s", image = "debian-12" }
  }
}

module "server" {
  source   = "./modules/server"
  for_each = local.servers

  name           = "${local.name}-${each.key}"
  size           = each.value.size
  image          = each.value.image
  region         = var.region
  create_seconds = lookup(each.value, "create_seconds", null)
}
