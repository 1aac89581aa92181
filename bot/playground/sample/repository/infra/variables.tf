variable "environment" {
  description = "Name of the environment. All resource names contain it."
  type        = string
}

variable "region" {
  type    = string
  default = "eu-1"
}

variable "nodes" {
  description = "Number of cluster nodes."
  type        = number
  default     = 1
}

variable "base_url" {
  description = "URL of the service, if not under its DNS name."
  type        = string
  default     = ""
}

variable "towpath_instance" {
  description = "Name of the pull request's own instance, such as pr-42, where there is one per pull request."
  type        = string
  default     = ""
}
