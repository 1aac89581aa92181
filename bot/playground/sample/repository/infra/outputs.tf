output "url" {
  description = "URL of the service, for people and smoke checks."
  value       = var.base_url != "" ? var.base_url : "https://www.${var.environment}.example.com"
}

output "kubeconfig" {
  value     = playground_cluster.main.kubeconfig
  sensitive = true
}
