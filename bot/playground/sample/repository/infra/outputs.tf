output "url" {
  description = "URL of the service, for people and smoke checks."
  value       = var.base_url != "" ? trimsuffix("${var.base_url}/${var.towpath_instance}", "/") : "https://www.${local.name}.example.com"
}

output "kubeconfig" {
  value     = playground_cluster.main.kubeconfig
  sensitive = true
}
