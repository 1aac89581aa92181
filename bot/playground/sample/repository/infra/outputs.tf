output "url" {
  description = "Where smoke checks and people find the service."
  value       = var.base_url != "" ? var.base_url : "https://www.${var.environment}.example.com"
}

output "kubeconfig" {
  value     = playground_cluster.main.kubeconfig
  sensitive = true
}
