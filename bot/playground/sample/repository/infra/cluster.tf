resource "playground_cluster" "main" {
  name    = "${local.name}-main"
  nodes   = var.nodes
  version = "1.34"
}
