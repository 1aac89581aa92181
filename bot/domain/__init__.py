"""Pure rules and typed values, one package a feature; `ports` holds what adapters implement."""
