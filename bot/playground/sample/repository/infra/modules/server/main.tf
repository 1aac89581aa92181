terraform {
  required_providers {
    playground = {
      source = "towpath.example/demo/playground"
    }
  }
}

variable "name" {
  type = string
}

variable "size" {
  type = string
}

variable "image" {
  type = string
}

variable "region" {
  type = string
}

variable "create_seconds" {
  type    = number
  default = null
}

resource "playground_server" "this" {
  name           = var.name
  size           = var.size
  image          = var.image
  region         = var.region
  user_data      = "#cloud-config\nhostname: ${var.name}\n"
  create_seconds = var.create_seconds
}

output "ip" {
  value = playground_server.this.ip
}
