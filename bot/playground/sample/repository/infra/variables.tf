variable "environment" {
  description = "The environment's name, part of every name in it."
  type        = string
}

variable "region" {
  type    = string
  default = "eu-1"
}

variable "nodes" {
  description = "Nodes of the cluster."
  type        = number
  default     = 1
}

variable "base_url" {
  description = "Where the service answers, if not under its own name."
  type        = string
  default     = ""
}
