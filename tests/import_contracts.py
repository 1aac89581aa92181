"""A contract of import-linter: a feature's modules are its own; others import from the package.

Settings: `parents`, the packages whose child packages are features. `open`, child packages that are none (ports, whose
files are imported one by one).
"""

from __future__ import annotations

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output


class FeatureContract(Contract):
    type_name = "features"

    parents = fields.ListField(subfield=fields.StringField())
    open = fields.ListField(subfield=fields.StringField(), required=False)

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        broken = [
            f"{importer} imports {module}"
            for parent in self.parents
            for feature in sorted(graph.find_children(parent))
            if feature not in (self.open or [])
            for module in sorted(graph.find_descendants(feature))
            for importer in sorted(graph.find_modules_that_directly_import(module))
            if importer != feature and not importer.startswith(f"{feature}.")
        ]
        return ContractCheck(kept=not broken, metadata={"broken": broken})

    def render_broken_contract(self, check: ContractCheck) -> None:
        for line in check.metadata["broken"]:
            output.print_error(f"{line}; import it from the package, and export it there.", bold=False)
