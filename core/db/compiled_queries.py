"""SQL of querysets, compiled once for each shape: the same comparisons in the same order, with other values.

Lists are queries whose shape recurs with each client's filters; compiling one takes a quarter of a list's CPU
(docs/performance.md).
"""

from collections.abc import Sequence
from typing import Any, cast

from django.core.exceptions import EmptyResultSet, FullResultSet
from django.db import models
from django.db.models.expressions import Col
from django.db.models.lookups import IsNull, Lookup
from django.db.models.sql.where import WhereNode

MAX_SHAPES = 2_000
_COMPARISONS = frozenset(["exact", "gt", "gte", "lt", "lte"])
_sql: dict[Any, str] = {}


def compile_queryset(queryset: models.QuerySet[Any], connection: Any) -> tuple[str, Sequence[Any]]:
    """Return the SQL of the queryset and its parameters. Raises EmptyResultSet."""
    query = queryset.query
    compiler = query.get_compiler(connection=connection)
    lookups: list[Any] = []
    shape = _shape(query.where, lookups) if _is_plain(query) else None
    if shape is not None:
        order = (query.order_by, query.default_ordering, query.standard_ordering)
        key = (connection.vendor, query.model, order, query.low_mark, query.high_mark, shape)
        try:
            parameters = [parameter for lookup in lookups for parameter in lookup.process_rhs(compiler, connection)[1]]
        except (EmptyResultSet, FullResultSet):  # A value is beyond what its column can have, which changes the condition.
            parameters = None
        if parameters is not None and (known := _sql.get(key)) is not None:
            return known, parameters
        sql, compiled = compiler.as_sql()
        if parameters == list(compiled):
            if len(_sql) >= MAX_SHAPES:
                _sql.clear()
            _sql[key] = sql
        return sql, compiled
    return cast("tuple[str, Sequence[Any]]", compiler.as_sql())


def _is_plain(query: Any) -> bool:
    """Return whether the query selects all columns of one table, with conditions and an order alone."""
    return not (
        query.annotations
        or query.combinator
        or query.deferred_loading[0]
        or query.distinct
        or query.extra
        or query.extra_order_by
        or query.group_by
        or query.select
        or query.select_for_update
        or query.select_related
        or sum(map(bool, query.alias_refcount.values())) > 1
    )


def _shape(node: Any, lookups: list[Any]) -> Any:
    """Return what the SQL of a condition depends on besides its values, and collect its lookups; None if it is not simple."""
    if isinstance(node, WhereNode):
        parts = [_shape(child, lookups) for child in node.children]
        return None if None in parts else (node.connector, node.negated, *parts)
    if not isinstance(node, Lookup) or type(node.lhs) is not Col:
        return None
    if isinstance(node, IsNull):
        return node.lookup_name, node.lhs.target, node.rhs
    if node.lookup_name not in _COMPARISONS or node.rhs is None or not node.rhs_is_direct_value() or node.bilateral_transforms:
        return None
    lookups.append(node)
    return node.lookup_name, node.lhs.target
