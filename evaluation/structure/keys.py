"""Keys: texts that are equal for two expressions that differ in nothing but their spelling.

What is only spelling: case, aliases, qualifiers that can be told, parentheses, the order of what AND, OR, =, <>, +
and * connect, of the values of IN and of inner joins, `a > b` for `b < a`, INNER, OUTER and ASC.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sqlglot import exp

_SYMMETRIC = (exp.EQ, exp.NEQ, exp.And, exp.Or, exp.Add, exp.Mul)
_FLAT = (exp.And, exp.Or, exp.Add, exp.Mul)
_MIRRORED: dict[type[exp.Expr], type[exp.Expr]] = {exp.LT: exp.GT, exp.LTE: exp.GTE}
_NEGATED: dict[type[exp.Expr], type[exp.Expr]] = {exp.EQ: exp.NEQ, exp.NEQ: exp.EQ}

_TOLD_APART = frozenset(
    {"with_", "expressions", "distinct", "from_", "joins", "where", "group", "having", "order", "limit", "offset"}
    | {"kind", "hint", "operation_modifiers"}
)


class Scope:
    """One query, and what the names in it stand for.

    Args:
        tables: The columns of each table, in lower case.
        outer: The query that this one is in.
        query: The syntax tree; `None` outside of all queries.
    """

    def __init__(
        self, tables: Mapping[str, frozenset[str]], outer: Scope | None = None, query: exp.Expr | None = None
    ) -> None:
        self.tables = tables
        self.outer = outer
        self.query = query
        self.ctes: dict[str, tuple[str, frozenset[str] | None]] = {}
        self.sources: dict[str, tuple[str, frozenset[str] | None]] = {}
        """By alias: what it is called in keys, and its columns where they are known."""
        self._expanding: set[str] = set()
        self.with_key = self._read_ctes()
        self.source_keys = self._read_sources()

    def inside(self, query: exp.Expr) -> Scope:
        """The scope of a query in this one."""
        return Scope(self.tables, self, query)

    # What there is to choose from.

    def _read_ctes(self) -> str:
        clause = self.query.args.get("with_") if self.query is not None else None
        if clause is None:
            return ""
        keys = []
        for number, cte in enumerate(clause.expressions, start=1):
            name = f"cte{self._depth}.{number}"
            alias = cte.args.get("alias")
            columns = [column.name.lower() for column in alias.columns] if alias is not None else []
            # Known before it is read: it may be recursive.
            self.ctes[cte.alias.lower()] = (name, frozenset(columns) or None)
            keys.append(f"{name}({', '.join(columns)}): {query_key(cte.this, self)}")
            self.ctes[cte.alias.lower()] = (name, frozenset(columns) or _output(cte.this))
        return "; ".join([*(["recursive"] if clause.args.get("recursive") else []), *keys])

    def _read_sources(self) -> tuple[str, ...]:
        """A key for each source; those of inner joins alone in any order."""
        if not isinstance(self.query, exp.Select):
            return ()
        first = self.query.args.get("from_")
        joins = self.query.args.get("joins") or []
        keys = [] if first is None else [self._read_source(first.this)]
        for join in joins:
            source = self._read_source(join.this)
            how = how_joined(join)
            keys.append(source if how == "" else f"{how} {source}{self._condition(join)}")
        return tuple(keys if any(how_joined(join) for join in joins) else sorted(keys))

    def _condition(self, join: exp.Join) -> str:
        parts = [key(join.args["on"], self)] if join.args.get("on") else []
        parts += [f"using {column.name.lower()}" for column in join.args.get("using") or []]
        return f" on {'; '.join(sorted(parts))}" if parts else ""

    def _read_source(self, node: exp.Expr) -> str:
        alias = node.alias_or_name.lower()
        nested = node.args.get("joins") or []
        if isinstance(node, exp.Table) and isinstance(node.this, exp.Identifier):
            found = None if node.db else self._cte(node.name.lower())
            path = ".".join(part.name.lower() for part in node.parts if part.name.lower() != "main")
            base, columns = found or (path, self.tables.get(node.name.lower()))
            name = self._numbered(base)
            self.sources[alias] = (name, columns)
            return "; ".join([name, *(f"{how_joined(join)} {self._read_source(join.this)}" for join in nested)])
        if isinstance(node, exp.Subquery) and isinstance(node.this, exp.Query):
            self.sources[alias] = (self._numbered("subquery"), _output(node.this))
            return query_key(node.this, self)
        if isinstance(node, exp.Paren | exp.Subquery):
            return self._read_source(node.this)
        self.sources[alias] = (self._numbered("source"), None)
        return key(node, self)

    def _numbered(self, base: str) -> str:
        """A name that no source in sight has."""
        taken = {name for scope in self._outwards() for name, _ in scope.sources.values()}
        number = 1
        name = base
        while name in taken:
            number += 1
            name = f"{base}#{number}"
        return name

    @property
    def _depth(self) -> int:
        return sum(1 for _ in self._outwards())

    def _outwards(self) -> Iterator[Scope]:
        scope: Scope | None = self
        while scope is not None:
            yield scope
            scope = scope.outer

    def _cte(self, name: str) -> tuple[str, frozenset[str] | None] | None:
        return next((scope.ctes[name] for scope in self._outwards() if name in scope.ctes), None)

    # What is made of it.

    @property
    def projections(self) -> tuple[str, ...]:
        """A key for each output column, without its alias."""
        return tuple(key(item.unalias(), self) for item in self._items)

    @property
    def _items(self) -> list[exp.Expr]:
        query = self.query
        while isinstance(query, exp.SetOperation | exp.Subquery):
            query = query.this
        return query.expressions if isinstance(query, exp.Select) else []

    def output(self, node: exp.Expr) -> exp.Expr | None:
        """The output column that GROUP BY or ORDER BY names by its number or its alias."""
        items = self._items
        if isinstance(node, exp.Literal) and node.is_int and 1 <= int(node.this) <= len(items):
            return items[int(node.this) - 1].unalias()
        if isinstance(node, exp.Column) and not node.table:
            return self._aliased(node.name.lower())
        return None

    def _aliased(self, name: str) -> exp.Expr | None:
        found = [item for item in self._items if isinstance(item, exp.Alias) and item.alias.lower() == name]
        return found[0].this if found else None

    def column(self, node: exp.Column) -> str:
        """The key of a column: the source that it is of, as far as that can be told, and its name."""
        name = "*" if isinstance(node.this, exp.Star) else node.name.lower()
        if node.table:
            alias = node.table.lower()
            called = next((scope.sources[alias][0] for scope in self._outwards() if alias in scope.sources), alias)
            return "*" if name == "*" and len(self.sources) == 1 else f"{called}.{name}"
        for scope in self._outwards():
            source = scope.owner(name)
            if source is not None:
                return f"{source}.{name}"
        expression = self._aliased(name)
        if expression is not None and name not in self._expanding and not _is_that_column(expression, name):
            self._expanding.add(name)  # an alias that is defined by itself
            try:
                return key(expression, self)
            finally:
                self._expanding.discard(name)
        if self.tables and isinstance(node.this, exp.Identifier) and node.this.quoted and self._all_known:
            return repr(node.name)  # SQLite takes what is no column for a text
        return f"{next(iter(self.sources.values()))[0]}.{name}" if len(self.sources) == 1 else name

    @property
    def _all_known(self) -> bool:
        return all(columns is not None for scope in self._outwards() for _, columns in scope.sources.values())

    def owner(self, column: str) -> str | None:
        """The source of this query that is known to have a column."""
        return next((name for name, columns in self.sources.values() if columns and column in columns), None)


@dataclass(frozen=True)
class Part:
    """One clause of a query.

    Attributes:
        key: Equal for two clauses that say the same in another spelling.
        nodes: What it consists of; of each operand of a set operation, one after another.
    """

    key: str
    nodes: tuple[tuple[exp.Expr, ...], ...]

    @classmethod
    def of(cls, key: str, *nodes: exp.Expr) -> Part:
        """The clause of a single SELECT."""
        return cls(key, (nodes,))


def parts_of(query: exp.Expr, outer: Scope) -> dict[str, Part]:
    """The clauses of a query by name; those of a set operation are those of its operands."""
    query = _bare(query)
    scope = outer.inside(query)
    found: dict[str, Part] = {}
    if isinstance(query, exp.SetOperation):
        found |= _of_set_operation(query, scope)
    elif isinstance(query, exp.Select):
        found |= _of_select(query, scope)
    else:
        found["other"] = Part.of(f"{type(query).__name__}({', '.join(_rest(query, scope))})", query)
    clauses = query.args
    if clauses.get("with_"):
        found["with"] = Part.of(scope.with_key, clauses["with_"])
    if clauses.get("order"):
        found["order by"] = Part.of("; ".join(order_keys(clauses["order"], scope)), clauses["order"])
    limits = [clauses[name] for name in ("limit", "offset") if clauses.get(name)]
    if limits:
        found["limit"] = Part.of("; ".join(key(limit, scope) for limit in limits), *limits)
    return found


def _of_select(query: exp.Select, scope: Scope) -> dict[str, Part]:
    clauses = query.args
    found = {"select": Part.of("; ".join(sorted(scope.projections)), *query.expressions)}
    sources = [node for node in (clauses.get("from_"), *(clauses.get("joins") or [])) if node is not None]
    where = clauses.get("where")
    joining, filtering = conjuncts(query, scope)
    if sources:
        found["from"] = Part.of("; ".join((*scope.source_keys, *sorted(joining))), *sources)
    if filtering:
        # Conditions in ON are of this clause too, where all joins are inner ones.
        found["where"] = Part.of("; ".join(sorted(filtering)), *([where] if where else sources))
    if clauses.get("distinct"):
        found["distinct"] = Part.of(key(clauses["distinct"], scope), clauses["distinct"])
    if clauses.get("group"):
        found["group by"] = Part.of(key(clauses["group"], scope), clauses["group"])
    if clauses.get("having"):
        found["having"] = Part.of(key(clauses["having"].this, scope), clauses["having"])
    others = [
        node
        for name, value in clauses.items()
        if name not in _TOLD_APART
        for node in (value if isinstance(value, list) else [value])
        if isinstance(node, exp.Expr)
    ]
    if others:
        found["other"] = Part.of("; ".join(key(node, scope) for node in others), *others)
    return found


def _of_set_operation(query: exp.SetOperation, scope: Scope) -> dict[str, Part]:
    """Each clause is that of all operands; the order of operands that can be swapped does not count."""
    operands = [parts_of(operand, scope) for operand in _operands(query)]
    if isinstance(query, exp.Union | exp.Intersect):
        operands.sort(key=lambda operand: sorted((name, part.key) for name, part in operand.items()))
    name = type(query).__name__ + ("" if query.args.get("distinct") else " all")
    none = Part.of("")
    found = {}
    for clause in dict.fromkeys(name for operand in operands for name in operand):
        parts = [operand.get(clause, none) for operand in operands]
        found[clause] = Part(" | ".join(part.key for part in parts), tuple(n for part in parts for n in part.nodes))
    inner = found.get("set operation", none)
    found["set operation"] = Part(f"{name} of {len(operands)}: {inner.key}", ((query,),))
    return found


def query_key(query: exp.Expr, outer: Scope) -> str:
    """The key of a query in another one."""
    parts = sorted(parts_of(query, outer).items())
    return "(" + ". ".join(f"{name}: {part.key}" for name, part in parts) + ")"


def _bare(query: exp.Expr) -> exp.Expr:
    """Without parentheses and names that say nothing."""
    while isinstance(query, exp.Subquery | exp.Paren) and not any(
        value for name, value in query.args.items() if name not in ("this", "alias")
    ):
        query = query.this
    return query


def key(node: exp.Expr, scope: Scope) -> str:
    """The key of an expression."""
    if isinstance(node, exp.Paren):
        return key(node.this, scope)
    if isinstance(node, exp.Select | exp.SetOperation | exp.Subquery):
        return query_key(node, scope)
    if isinstance(node, exp.Column):
        return scope.column(node)
    if isinstance(node, exp.Star):
        return "*"
    if isinstance(node, exp.Identifier):
        return node.name.lower()
    if isinstance(node, exp.Literal):
        return repr(node.this) if node.is_string else str(node.this).lower()
    if isinstance(node, exp.Group):
        return "; ".join(sorted(_keys_by_output(node.expressions, scope)) + _rest(node, scope, "expressions"))
    return _of_operator(node, scope)


def _of_operator(node: exp.Expr, scope: Scope) -> str:
    kind = type(node)
    if isinstance(node, exp.Not):
        inner = node.this.unnest()
        if type(inner) in _NEGATED:
            return _symmetric(_NEGATED[type(inner)], [key(inner.left, scope), key(inner.right, scope)])
    if kind in _MIRRORED:
        return f"{_MIRRORED[kind].__name__}({key(node.args['expression'], scope)}, {key(node.this, scope)})"
    if kind in _MIRRORED.values():
        return f"{kind.__name__}({key(node.this, scope)}, {key(node.args['expression'], scope)})"
    if isinstance(node, _FLAT):
        return _symmetric(kind, [key(part, scope) for part in _flattened(node, kind)])
    if isinstance(node, _SYMMETRIC):
        return _symmetric(kind, [key(node.this, scope), key(node.args["expression"], scope)])
    if isinstance(node, exp.In) and node.expressions:
        values = sorted(key(value, scope) for value in node.expressions)
        return f"In({key(node.this, scope)}, {', '.join(values)})"
    if isinstance(node, exp.Anonymous):
        return f"{node.name.lower()}({', '.join(key(argument, scope) for argument in node.expressions)})"
    return f"{kind.__name__}({', '.join(_rest(node, scope))})"


def order_keys(order: exp.Order, scope: Scope) -> list[str]:
    """The keys of ORDER BY, in their order."""
    keys = []
    for item in order.expressions:
        by = item.this if isinstance(item, exp.Ordered) else item
        (one,) = _keys_by_output([by], scope)
        how = _rest(item, scope, "this") if isinstance(item, exp.Ordered) else []
        keys.append(" ".join([one, *how]))
    return keys


def conjuncts(query: exp.Select, scope: Scope) -> tuple[list[str], list[str]]:
    """The conditions that rows must meet: those that join two sources by equal columns, and the others.

    Where all joins are inner ones, it does not matter whether a condition is in ON or in WHERE.
    """
    where = query.args.get("where")
    written = list(_flattened(where.this, exp.And)) if where else []
    using = []
    joins = query.args.get("joins") or []
    if any(how_joined(join) for join in joins):
        return [], [key(condition, scope) for condition in written]
    for join in joins:
        if join.args.get("on"):
            written += _flattened(join.args["on"], exp.And)
        using += [f"using {column.name.lower()}" for column in join.args.get("using") or []]
    joining = [key(condition, scope) for condition in written if _joins(condition, scope)]
    return [*using, *joining], [key(condition, scope) for condition in written if not _joins(condition, scope)]


def how_joined(join: exp.Join) -> str:
    """The kind of a join; empty for all spellings of the inner one."""
    words = [str(join.args.get(name) or "").upper() for name in ("method", "global_", "side", "kind", "hint")]
    return " ".join(word for word in words if word not in ("", "INNER", "OUTER", "CROSS", "FALSE"))


def _joins(condition: exp.Expr, scope: Scope) -> bool:
    """Whether it says that columns of two sources are equal."""
    condition = condition.unnest()
    if not isinstance(condition, exp.EQ):
        return False
    left, right = condition.this.unnest(), condition.expression.unnest()
    if not (isinstance(left, exp.Column) and isinstance(right, exp.Column)):
        return False
    keys = [scope.column(column) for column in (left, right)]
    if any(key.startswith(("'", '"')) for key in keys):  # a text after all
        return False
    sources = [key.rpartition(".")[0] for key in keys]
    return sources[0] != sources[1] or sources == ["", ""]


def _keys_by_output(nodes: list[exp.Expr], scope: Scope) -> list[str]:
    found = []
    for node in nodes:
        node = node.unnest()
        meant = scope.output(node)
        # A column of that name goes before an alias.
        known = isinstance(node, exp.Column) and scope.owner(node.name.lower()) is not None
        found.append(key(node if meant is None or known else meant, scope))
    return found


def _symmetric(kind: type[exp.Expr], keys: list[str]) -> str:
    return f"{kind.__name__}({', '.join(sorted(keys))})"


def _flattened(node: exp.Expr, kind: type[exp.Expr]) -> Iterator[exp.Expr]:
    """The operands of a chain of one operator, from left to right."""
    waiting = [node]
    while waiting:
        part = waiting.pop().unnest()
        if type(part) is kind:
            waiting += [part.args["expression"], part.this]
        else:
            yield part


def _operands(query: exp.SetOperation) -> Iterator[exp.Expr]:
    same = (type(query), bool(query.args.get("distinct")))
    left = query.this
    if (
        isinstance(left, exp.SetOperation)
        and (type(left), bool(left.args.get("distinct"))) == same
        and not any(left.args.get(name) for name in ("order", "limit", "offset", "with_"))
    ):
        yield from _operands(left)
    else:
        yield left
    yield query.expression


def _rest(node: exp.Expr, scope: Scope, *without: str) -> list[str]:
    """A key for each part that is there, in the order of their names."""
    parts = []
    for name, value in sorted(node.args.items()):
        if name in without or value is None or value is False or value == []:
            continue
        values = value if isinstance(value, list) else [value]
        keys = [key(one, scope) if isinstance(one, exp.Expr) else str(one).lower() for one in values]
        parts.append(f"{name}={' '.join(keys)}")
    return parts


def _output(query: exp.Expr) -> frozenset[str] | None:
    """The names of the columns of a query; `None` where a star hides them."""
    while isinstance(query, exp.SetOperation | exp.Subquery):
        query = query.this
    names = [item.alias_or_name.lower() for item in query.expressions] if isinstance(query, exp.Select) else []
    return None if not names or "*" in names else frozenset(names)


def _is_that_column(expression: exp.Expr, name: str) -> bool:
    return isinstance(expression, exp.Column) and expression.name.lower() == name
