resource "playground_cluster" "main" {
  name    = "${var.environment}-main"
  nodes   = var.nodes
  version = "1.34"
}
