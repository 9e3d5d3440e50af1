"""Finding SQL in an answer: a table of answers as models write them, and what must hold for every answer."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prompts.extraction import EXTRACTORS, Extraction, Method, Removed, extract, only_object

Q = "SELECT name FROM singer WHERE age > 20"
MULTILINE = "SELECT name,\n       age\nFROM singer\nWHERE age > 20;"
CTE = "WITH old AS (\n  SELECT * FROM singer WHERE age > 60\n)\nSELECT count(*) FROM old"
REASONING, BEFORE, AFTER, BLOCKS, CALLS, FIELDS, FENCE, ENDED = Removed

FENCED = [
    ("label", f"```sql\n{Q}\n```", Q),
    ("upper-case label", f"```SQL\n{Q}\n```", Q),
    ("engine as label", f"```SQLite\n{Q}\n```", Q),
    ("engine with number", f"```sqlite3\n{Q}\n```", Q),
    ("postgres", f"```postgresql\n{Q}\n```", Q),
    ("duckdb", f"```duckdb\n{Q}\n```", Q),
    ("attributes after the label", f'```sql title="answer"\n{Q}\n```', Q),
    ("pandoc label", f"```{{.sql}}\n{Q}\n```", Q),
    ("space before the label", f"``` sql\n{Q}\n```", Q),
    ("tildes", f"~~~sql\n{Q}\n~~~", Q),
    ("four backticks", "````sql\nSELECT '```'\nFROM t\n````", "SELECT '```'\nFROM t"),
    ("windows line ends", f"```sql\r\n{Q}\r\n```\r\n", Q),
    ("indented in a list", f"1. The query:\n   ```sql\n   {Q}\n   ```", Q, (BEFORE,)),
    ("fence after prose on one line", f"Here you are: ```sql\n{Q}\n```", Q, (BEFORE,)),
    ("all on one line", f"```sql {Q}```", Q),
    ("SQL begins on the fence's line", "```sql SELECT name\nFROM singer\n```", "SELECT name\nFROM singer"),
    ("closed at the end of the SQL's line", f"```sql\n{Q};```\nThat is all.", f"{Q};", (AFTER,)),
    (
        "closed at the ends of two blocks' lines",
        "```sql\nSELECT 1;```\nor\n```sql\nSELECT 2;```",
        "SELECT 2;",
        (BEFORE, BLOCKS),
    ),
    ("prose around", f"Sure!\n\n```sql\n{MULTILINE}\n```\n\nThis lists the singers.", MULTILINE, (BEFORE, AFTER)),
    ("WITH first", f"```sql\n{CTE}\n```", CTE),
    ("comment first", f"```sql\n-- older than 20\n{Q}\n```", f"-- older than 20\n{Q}"),
    ("two statements stay two", "```sql\nSELECT 1; SELECT 2\n```", "SELECT 1; SELECT 2"),
    ("not a query, for the guard to judge", "```sql\nDROP TABLE singer\n```", "DROP TABLE singer"),
    ("broken SQL is not repaired", "```sql\nSELEC name FORM singer\n```", "SELEC name FORM singer"),
    (
        "the last labelled block",
        "First:\n```sql\nSELECT 1\n```\nBetter:\n```sql\nSELECT 2\n```",
        "SELECT 2",
        (BEFORE, BLOCKS),
    ),
    ("a last block of comments alone", f"```sql\n{Q}\n```\n```sql\n-- 3 rows\n```", Q, (BLOCKS,)),
    ("nothing but comments", "```sql\n-- cannot be answered\n```", "-- cannot be answered"),
    ("an empty last block", "```sql\nSELECT 1\n```\n```sql\n\n```", "SELECT 1"),
    ("a labelled block before its output", f"```sql\n{Q}\n```\nOutput:\n```\nselect_count\n3\n```", Q, (AFTER, BLOCKS)),
    ("a labelled block before plain SQL", f"```sql\n{Q}\n```\n```\nSELECT 2\n```", Q, (BLOCKS,)),
    ("a forgotten closing fence", "```sql\nSELECT 1\n\n```sql\nSELECT 2\n```", "SELECT 2", (BLOCKS,)),
    ("a block within a longer fence", f"````markdown\nHere:\n```sql\n{Q}\n```\n````", Q, (BEFORE,)),
    ("a block within tildes", f"So:\n~~~\n```sql\n{Q}\n```\nDone.\n~~~", Q, (BEFORE, AFTER)),
    ("tildes in the SQL", "```sql\nSELECT '\n~~~\n'\n```", "SELECT '\n~~~\n'"),
    ("a fence in a comment", "```sql\nSELECT 1 -- not ```\nFROM t\n```", "SELECT 1 -- not ```\nFROM t"),
    ("a fence in a text", "```sql\nSELECT * FROM t WHERE a LIKE '%```%'\n```", "SELECT * FROM t WHERE a LIKE '%```%'"),
    (
        "a parenthesis before WITH",
        f"```sql\n(WITH a AS (SELECT 1) SELECT * FROM a)\nUNION\n{Q}\n```",
        f"(WITH a AS (SELECT 1) SELECT * FROM a)\nUNION\n{Q}",
    ),
    ("backticks in the SQL", "```sql\nSELECT `a` FROM `t`\n```", "SELECT `a` FROM `t`"),
]

BARE = [
    ("bare", Q),
    ("bare, several lines", MULTILINE),
    ("bare, lower case", "select count(*) from singer"),
    ("bare, capitalised", "Select name From singer"),
    ("bare, no table", "SELECT 1"),
    ("bare, WITH", CTE),
    ("bare, lower-case with", "with a as (select 1 as x) select x from a"),
    ("bare, WITH RECURSIVE", "WITH RECURSIVE n(i) AS (SELECT 1) SELECT i FROM n"),
    ("bare, line comment", f"-- old ones\n{Q}"),
    ("bare, block comment", f"/* old\nones */ {Q}"),
    ("bare, parentheses", f"({Q})\nUNION\n({Q})"),
    ("bare, two statements", "SELECT 1;\n\nSELECT 2;"),
    ("bare, an empty line inside", "SELECT name\nFROM singer\n\nWHERE age > 20"),
    ("bare, an empty line in a CTE", "WITH a AS (\n\n  SELECT 1 AS x\n\n)\n\nSELECT x FROM a"),
    ("bare, comment after the end", f"{Q}; -- done"),
    ("bare, subquery on its own line", "SELECT name FROM singer WHERE id IN (\nSELECT id FROM concert\n)"),
    ("bare, prose in a string", "SELECT name FROM t WHERE x = 'a; b\n\nThis is it.'"),
    ("bare, quoted identifiers", 'SELECT "Name", `a`.[b c] FROM "My Table"'),
    ("bare, a write for the guard", "DELETE FROM singer"),
    ("bare, VALUES", "VALUES (1), (2)"),
    ("bare, one letter names", "SELECT a, b FROM a WHERE a > b"),
    ("bare, a parenthesis too many", "SELECT name FROM t WHERE a IN (1)). x"),
    ("bare, a semicolon too many", "SELECT name;\nFROM t"),
    ("bare, an empty line between CTEs", "WITH a AS (SELECT 1),\n\nb AS (SELECT 2)\n\nSELECT * FROM a, b"),
    ("bare, words of English in a string", "SELECT 'I lack the data from the table.' AS answer"),
    ("bare, DuckDB's own", "SUMMARIZE singer"),
    ("bare, a list", "select [1, 2][1] from t"),
    ("bare, IS NULL", "SELECT x IS NULL FROM t"),
    ("bare, FROM first", "FROM t SELECT a"),
    ("bare, FROM first, on lines", "FROM singer AS s\nSELECT name\nWHERE age > 20"),
    ("bare, FROM a file first", "FROM 'singers.csv' SELECT DISTINCT name;"),
    ("bare, a power", "SELECT 2**3, 2 ** 3 FROM t"),
    ("bare, a quote in a comment", "SELECT name -- the singer's name\nFROM singer"),
    ("bare, lower case, a quote in a comment", "select name -- the singer's name\nfrom singer"),
    ("bare, a semicolon in a text", "SELECT name FROM singer WHERE name = 'a; This is b';"),
    ("bare, a parenthesis before WITH", "(WITH a AS (SELECT 1 AS x) SELECT x FROM a)"),
    ("bare, EXPLAIN", f"EXPLAIN {Q}"),
    ("bare, EXPLAIN with settings", f"EXPLAIN (ANALYZE, FORMAT JSON) {Q}"),
    ("bare, EXPLAIN with words", f"EXPLAIN ANALYZE VERBOSE {Q}"),
    ("bare, EXPLAIN in MySQL", f"EXPLAIN FORMAT=JSON {Q}"),
    ("bare, a struct", "SELECT {'a': 1, 'b': {'c': 2}} AS x FROM t"),
    ("bare, a doubled backtick", "SELECT `a``b`, `c``` FROM `t`"),
]

ARGUMENTS = json.dumps({"sql": Q})
CALL = json.dumps({"name": "run_sql", "arguments": {"sql": Q}})
IN_TEXT = json.dumps({"name": "run_sql", "arguments": ARGUMENTS})
PARAMETERS = json.dumps({"name": "run_sql", "parameters": {"query": Q}})
OPENAI = json.dumps({"tool_calls": [{"id": "call_1", "type": "function", "function": json.loads(IN_TEXT)}]})
CLAUDE = f'<invoke name="run_sql">\n<parameter name="sql">{Q}</parameter>\n</invoke>'
SEARCH = '{"name": "search", "arguments": {"query": "singers of France"}}'

TOOL_CALLS = [
    ("Llama, as Python", f'<|python_tag|>run_sql.call(query="{Q}")', Q),
    (
        "Llama, as Python, further arguments",
        f"I run it.\n<|python_tag|>run_sql.call(limit=3, sql='{Q}')<|eom_id|>",
        Q,
        (BEFORE, ENDED),
    ),
    (
        "Llama, as Python, escapes",
        r"""<|python_tag|>run_sql.call(sql="SELECT \"a\",\n\'x\' FROM t")""",
        "SELECT \"a\",\n'x' FROM t",
    ),
    ("Llama, as Python, three quotes", f'<|python_tag|>run_sql(sql="""{MULTILINE}""")', MULTILINE),
    ("Hermes", f"<tool_call>\n{CALL}\n</tool_call>", Q),
    ("Hermes, on one line", f"<tool_call>{CALL}</tool_call>", Q),
    ("Hermes, not closed", f"<tool_call>\n{CALL}", Q),
    ("Hermes, prose around", f"I run it.\n<tool_call>{CALL}</tool_call>\nThat is all.", Q, (BEFORE, AFTER)),
    ("Hermes, arguments as text", f"<tool_call>{IN_TEXT}</tool_call>", Q),
    ("Hermes, arguments are SQL", f'<tool_call>{{"name": "run_sql", "arguments": "{Q}"}}</tool_call>', Q),
    (
        "Hermes, a line broken within JSON",
        '<tool_call>{"name": "run_sql", "arguments": {"sql": "SELECT a\nFROM t"}}</tool_call>',
        "SELECT a\nFROM t",
    ),
    (
        "Hermes, tags in the SQL",
        '<tool_call>{"name": "run_sql", "arguments": {"sql": "SELECT \'</tool_call>\'"}}</tool_call>',
        "SELECT '</tool_call>'",
    ),
    (
        "the last of two calls",
        f"<tool_call>{CALL.replace('20', '30')}</tool_call>\n<tool_call>{CALL}</tool_call>",
        Q,
        (CALLS,),
    ),
    ("a call before one without SQL", f"<tool_call>{CALL}</tool_call><tool_call>{SEARCH}</tool_call>", Q, (CALLS,)),
    ("a broken call before a good one", f"<tool_call>{{'a'}}</tool_call><tool_call>{CALL}</tool_call>", Q, (BEFORE,)),
    ("a call after SQL in prose", f"```sql\nSELECT 0\n```\n<tool_call>{CALL}</tool_call>", Q, (BEFORE,)),
    ("a call after reasoning", f"<think>SELECT 0?</think><tool_call>{CALL}</tool_call>", Q, (REASONING,)),
    (
        "Qwen Coder",
        f"<tool_call>\n<function=run_sql>\n<parameter=sql>\n{Q}\n</parameter>\n</function>\n</tool_call>",
        Q,
    ),
    (
        "Qwen Coder, two parameters",
        f"<function=run_sql>\n<parameter=db>a</parameter>\n<parameter=sql>{Q}</parameter>\n</function>",
        Q,
    ),
    ("Llama, function tag", f"<function=run_sql>{ARGUMENTS}</function>", Q),
    ("Llama, python tag", f"<|python_tag|>{PARAMETERS}", Q),
    ("Llama, python tag and end", f"<|python_tag|>{PARAMETERS}<|eom_id|>", Q, (ENDED,)),
    ("Llama, bare", PARAMETERS, Q),
    ("Llama, two", f"<|python_tag|>{CALL.replace('20', '30')}; {CALL}", Q, (CALLS,)),
    ("Mistral", f"[TOOL_CALLS][{CALL}]", Q),
    ("Mistral, space and end", f"[TOOL_CALLS] [{CALL}]</s>", Q, (ENDED,)),
    ("Mistral, prose before", f"I look.[TOOL_CALLS][{CALL}]", Q, (BEFORE,)),
    ("Mistral, name and arguments", f"[TOOL_CALLS]run_sql[ARGS]{ARGUMENTS}", Q),
    ("Mistral, name before JSON", f"[TOOL_CALLS]run_sql{ARGUMENTS}", Q),
    ("OpenAI, message", OPENAI, Q),
    ("OpenAI, arguments as text", IN_TEXT, Q),
    ("OpenAI, in a block", f"```json\n{IN_TEXT}\n```", Q),
    ("OpenAI, in prose", f"The call: {IN_TEXT}.", Q, (BEFORE, AFTER)),
    ("OpenAI, a list", f"[{IN_TEXT}]", Q),
    ("OpenAI, function within", json.dumps({"type": "function", "function": json.loads(CALL)}), Q),
    ("Anthropic, tags", f"<function_calls>\n{CLAUDE}\n</function_calls>", Q),
    ("Anthropic, prefixed tags", CLAUDE.replace("<", "<x:").replace("<x:/", "</x:"), Q),
    ("Anthropic, tags, SQL with <", CLAUDE.replace("> 20", "< 20"), Q.replace("> 20", "< 20")),
    ("Anthropic, prose before", f"I run it.\n\n{CLAUDE}", Q, (BEFORE,)),
    ("Anthropic, JSON", json.dumps([{"type": "tool_use", "id": "t", "name": "run_sql", "input": {"sql": Q}}]), Q),
    ("Gemini", json.dumps({"functionCall": {"name": "run_sql", "args": {"sql": Q}}}), Q),
    (
        "DeepSeek",
        f"<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>run_sql\n```json\n{ARGUMENTS}\n```"
        "<｜tool▁call▁end｜><｜tool▁calls▁end｜>",
        Q,
    ),
    ("a fence in a call", json.dumps({"name": "f", "arguments": {"sql": f"```sql\n{Q}\n```"}}), Q, (FENCE,)),
    ("the key sql, not SQL", CALL.replace("SELECT", "SELEC"), Q.replace("SELECT", "SELEC")),
    ("two statements in a call stay two", CALL.replace("> 20", "> 20; SELECT 2"), f"{Q}; SELECT 2"),
]

CASES = [
    *((name, answer, sql, Method.FENCED_SQL, *removed) for name, answer, sql, *removed in FENCED),
    *((name, sql, sql, Method.BARE) for name, sql in BARE),
    *((name, answer, sql, Method.TOOL_CALL, *removed) for name, answer, sql, *removed in TOOL_CALLS),
    ("a call cut off", '<tool_call>{"name": "run_sql", "arguments": {"sql": "SELECT name', None, Method.NONE),
    (
        "a call in tags cut off",
        f'<invoke name="run_sql">\n<parameter name="sql">\n{Q}',
        Q,
        Method.AFTER_PROSE,
        (BEFORE,),
    ),
    ("a call without SQL", f"<tool_call>{SEARCH}</tool_call>", None, Method.NONE),
    (
        "a call without SQL beside a block",
        f"<tool_call>{SEARCH}</tool_call>\n```sql\n{Q}\n```",
        Q,
        Method.FENCED_SQL,
        (BEFORE,),
    ),
    ("JSON with a name", json.dumps({"name": "singers", "sql": Q}), Q, Method.JSON, (FIELDS,)),
    ("JSON, a fence within", json.dumps({"sql": f"```sql\n{MULTILINE}\n```"}), MULTILINE, Method.JSON, (FENCE,)),
    ("JSON, a fence within, and words", json.dumps({"sql": f"So:\n```\n{Q}\n```"}), f"So:\n```\n{Q}\n```", Method.JSON),
    ("JSON, a line break in a text", json.dumps({"sql": "SELECT 'a\\n'"}), "SELECT 'a\\n'", Method.JSON),
    ("JSON, a key with a space", json.dumps({"SQL query": Q}), Q, Method.JSON),
    ("JSON, the key answer", json.dumps({"why": "so", "answer": Q}), Q, Method.JSON, (FIELDS,)),
    ("JSON, the key answer, not SQL", json.dumps({"answer": "I cannot tell."}), None, Method.NONE),
    (
        "JSON in prose, SQL last",
        f"Here:\n{json.dumps({'why': 'so', 'sql': Q})}\nDone.",
        Q,
        Method.JSON,
        (BEFORE, AFTER, FIELDS),
    ),
    ("JSON in prose after braces", f'Of {{a, b}}, {{"c"}}: {ARGUMENTS}', Q, Method.JSON, (BEFORE,)),
    ("JSON within JSON", json.dumps({"result": {"sql": Q}}), Q, Method.JSON, (BEFORE, AFTER)),
    ("JSON without SQL, a query in its reasons", json.dumps({"why": f"Not {Q} here.", "sql": None}), None, Method.NONE),
    ("JSON cut off, a query in its reasons", f'So: {{"why": "Not {Q} here.", "sql": "SELECT', None, Method.NONE),
    ("JSON without SQL before a query", f'{{"sql": null}}\nRather:\n{Q}', Q, Method.AFTER_PROSE, (BEFORE,)),
    ("JSON, a line broken within", '{"sql": "SELECT a\nFROM t"}', "SELECT a\nFROM t", Method.JSON),
    ("JSON, escapes are read", '{"sql": "SELECT \\"a\\"\\nFROM t"}', 'SELECT "a"\nFROM t', Method.JSON),
    ("JSON, a text", json.dumps(Q), Q, Method.JSON),
    ("JSON, a list", f'[{{"sql": "{Q}"}}]', Q, Method.JSON, (BEFORE, AFTER)),
    (
        "JSON in a block, prose around",
        f"So:\n```json\n{ARGUMENTS}\n```\nDone.",
        Q,
        Method.JSON,
        (BEFORE, AFTER),
    ),
    ("JSON cut off", '{"sql": "SELECT name FROM sing', None, Method.NONE),
    ("JSON cut off, a query within", '{"sql": "(SELECT 1) UNION (SELECT', None, Method.NONE),
    ("JSON in a block cut off", '```json\n{"sql": "SELECT name FROM', None, Method.NONE),
    ("tags", f"<sql>{Q}</sql>", Q, Method.TAGGED),
    ("tags on lines, prose after", f"<answer>\n{Q};\n</answer>\nDone.", f"{Q};", Method.TAGGED, (AFTER,)),
    ("tags around a block", f"<answer>```sql\n{Q}\n```</answer>", Q, Method.FENCED_SQL),
    ("tags around tags", f"So:\n<answer>\n<sql>\n{Q}\n</sql>\n</answer>", Q, Method.TAGGED, (BEFORE,)),
    (
        "the last tags with SQL",
        f"<sql>SELECT 0</sql> <sql>{Q}</sql> <answer>42</answer>",
        Q,
        Method.TAGGED,
        (BEFORE, AFTER),
    ),
    ("output tags", f"<reflection>SELECT 0 FROM t</reflection>\n<output>{Q}</output>", Q, Method.TAGGED, (BEFORE,)),
    ("HTML", f"<pre><code>{Q}</code></pre>", Q, Method.IN_SENTENCE, (BEFORE, AFTER)),
    ("in braces", f"\\boxed{{{Q}}}", Q, Method.IN_SENTENCE, (BEFORE, AFTER)),
    ("a fence closed on its line that the prompt opened", f"{Q};```", f"{Q};", Method.BARE, (AFTER,)),
    ("a fence closed on its line, chatter", f"{Q}```\nIt lists names.", Q, Method.BARE, (AFTER,)),
    ("tags in the SQL", "```sql\nSELECT '<sql>SELECT 1</sql>'\n```", "SELECT '<sql>SELECT 1</sql>'", Method.FENCED_SQL),
    ("end of turn", f"{Q}<|im_end|>", Q, Method.BARE, (ENDED,)),
    ("end of turn, SQLCoder", f"[SQL]\n{Q}\n[/SQL]", Q, Method.AFTER_PROSE, (BEFORE, ENDED)),
    ("end of the instruction, repeated", f"{Q}[/INST]", Q, Method.BARE, (ENDED,)),
    ("end of turn, Llama 2", f"{Q};</s>", f"{Q};", Method.BARE, (ENDED,)),
    (
        "end of turn, and the next one made up",
        f"{Q}<|im_end|>\n<|im_start|>user\nAnd?<|im_end|>\n```sql\nSELECT 2\n```",
        Q,
        Method.BARE,
        (ENDED,),
    ),
    ("end of turn after a fence", f"```sql\n{Q}\n```<|eot_id|>", Q, Method.FENCED_SQL, (ENDED,)),
    ("end of turn before a fence", f"```sql\n{Q}<|end|>", Q, Method.UNCLOSED_FENCE, (ENDED,)),
    ("end of turn in the SQL", "SELECT '</s>' AS x", "SELECT '</s>' AS x", Method.BARE),
    ("end of turn in a block", "```sql\nSELECT 1 -- </s>\n```", "SELECT 1 -- </s>", Method.FENCED_SQL),
    ("chatter on the next line", f"{Q}\nHope this helps", Q, Method.BARE, (AFTER,)),
    ("an offer on the next line", f"{Q}\nLet me know!", Q, Method.BARE, (AFTER,)),
    ("a rule and notes", f"{Q}\n---\nNotes", Q, Method.BARE, (AFTER,)),
    ("numbered statements", f"1. {Q}\n2. SELECT 2", Q, Method.IN_SENTENCE, (BEFORE, AFTER)),
    ("numbered explanation", f"{Q}\n1. The names\n2. The age", Q, Method.BARE, (AFTER,)),
    ("the next question made up", f"{Q}\n\nQuestion: Who?\nSQL: SELECT 2", Q, Method.BARE, (AFTER,)),
    ("an alternative", f"{Q};\n\nAlternatively:\n\nSELECT 2;", f"{Q};", Method.BARE, (AFTER,)),
    ("Magistral's reasoning", f"[THINK]SELECT 0 FROM t[/THINK]{Q}", Q, Method.BARE, (REASONING,)),
    ("Kimi's reasoning", f"◁think▷SELECT 0 FROM t◁/think▷{Q}", Q, Method.BARE, (REASONING,)),
    (
        "channels",
        f"<|channel|>analysis<|message|>SELECT 0?<|end|><|start|>assistant<|channel|>final<|message|>{Q}<|return|>",
        Q,
        Method.BARE,
        (REASONING, ENDED),
    ),
    (
        "channels, a call",
        "<|channel|>analysis<|message|>Hm.<|end|><|start|>assistant<|channel|>commentary to=functions.run_sql"
        f" <|constrain|>json<|message|>{ARGUMENTS}<|call|>",
        Q,
        Method.JSON,
        (REASONING, ENDED),
    ),
    ("channels cut off", f"<|channel|>analysis<|message|>Maybe {Q}", None, Method.NONE, (REASONING,)),
    (
        "prose before reasoning",
        f"Let me see.\n<think>SELECT 0 FROM t</think>\n{Q}",
        Q,
        Method.BARE,
        (REASONING, BEFORE),
    ),
    ("reasoning after the answer", f"```sql\n{Q}\n```\n<think>SELECT 0?</think>", Q, Method.FENCED_SQL, (REASONING,)),
    (
        "reasoning between answer and chatter",
        f"{Q}\n<think>SELECT 0?</think>\nThat is all.",
        Q,
        Method.BARE,
        (REASONING, AFTER),
    ),
    (
        "reasoning twice",
        f"<think>a</think>b\n<think>\nSELECT 0 FROM t\n</think>\n{Q}",
        Q,
        Method.BARE,
        (REASONING, BEFORE),
    ),
    ("reasoning between two answers", f"SELECT 0\n<think>a</think>\n{Q}", Q, Method.BARE, (REASONING, BEFORE)),
    (
        "reasoning within reasoning",
        f"<think><thought>a</thought>SELECT 0 FROM t</think>{Q}",
        Q,
        Method.BARE,
        (REASONING,),
    ),
    ("reasoning ended by another tag", f"<think>SELECT 0 FROM t</thinking>{Q}", Q, Method.BARE, (REASONING,)),
    ("reasoning after prose, cut off", f"Let me see.\n<think>\n```sql\n{Q}\n```\nNo,", None, Method.NONE, (REASONING,)),
    ("reasoning after the answer, cut off", f"```sql\n{Q}\n```\n<think>No,", Q, Method.FENCED_SQL, (REASONING,)),
    ("a word about reasoning", f"Without <think> tags: {Q}", Q, Method.AFTER_PROSE, (BEFORE,)),
    ("a scratchpad", f"<scratchpad>\n```sql\nSELECT 0\n```\n</scratchpad>\n{Q}", Q, Method.BARE, (REASONING,)),
    ("plain fence", f"```\n{Q}\n```", Q, Method.FENCED),
    ("other label", f"```text\n{Q}\n```", Q, Method.FENCED),
    ("no label, on one line", f"```{Q}```", Q, Method.FENCED),
    (
        "no label, SQL on the fence's line",
        "```SELECT name\nFROM singer\n```",
        "SELECT name\nFROM singer",
        Method.FENCED,
    ),
    ("label on a line of its own", f"```\nsql\n{Q}\n```", Q, Method.FENCED_SQL),
    ("python is not SQL", "```python\nwith open('x') as f:\n    pass\n```", None, Method.NONE),
    (
        "the last plain block with SQL",
        "```\nSELECT 1\n```\n```\nSELECT 2\n```\n```\n 3\n```",
        "SELECT 2",
        Method.FENCED,
        (BLOCKS,),
    ),
    ("unclosed", f"```sql\n{Q}", Q, Method.UNCLOSED_FENCE),
    ("unclosed and cut off", "```sql\nSELECT name FROM (SELECT", "SELECT name FROM (SELECT", Method.UNCLOSED_FENCE),
    ("unclosed without label", f"```\n{Q}", Q, Method.UNCLOSED_FENCE),
    ("only a fence", "```sql\n```", None, Method.NONE),
    ("bare, white space around", f"\n  {Q}\n\n", Q, Method.BARE),
    ("prose after an empty line", f"{Q}\n\nThis doesn't list the young ones.", Q, Method.BARE, (AFTER,)),
    ("prose after a semicolon", f"{Q};\nThe query lists names.", f"{Q};", Method.BARE, (AFTER,)),
    ("prose after a semicolon, same line", f"{Q}; this lists names.", f"{Q};", Method.BARE, (AFTER,)),
    ("a fence closed that the prompt opened", f"{Q}\n```", Q, Method.BARE, (BLOCKS,)),
    (
        "GROUP BY ALL before an empty line",
        "SELECT a FROM t GROUP BY ALL\n\nThat is it.",
        "SELECT a FROM t GROUP BY ALL",
        Method.BARE,
        (AFTER,),
    ),
    ("heading after", f"{Q}\n**Explanation**\nIt lists names.", Q, Method.BARE, (AFTER,)),
    ("labelled line after", f"{Q}\nExplanation: it lists names.", Q, Method.BARE, (AFTER,)),
    ("sentence after", f"{Q}\nThis query lists names.", Q, Method.BARE, (AFTER,)),
    (
        "explained piece by piece",
        f"{Q}\n\nExplanation:\n- SELECT name: the name\n- FROM singer: the table",
        Q,
        Method.BARE,
        (AFTER,),
    ),
    ("prose before, after a colon", f"Here is the query: {Q}", Q, Method.AFTER_PROSE, (BEFORE,)),
    ("bold before", f"**Query:** {Q};", f"{Q};", Method.AFTER_PROSE, (BEFORE,)),
    ("bold", "**SELECT 1**", "SELECT 1", Method.BARE),
    ("bold, prose after", f"**{Q}**\nIt lists names.", Q, Method.BARE, (AFTER,)),
    ("bold after a colon", f"Answer: **{Q.lower()}**", Q.lower(), Method.AFTER_PROSE, (BEFORE,)),
    ("bold in a sentence", f"I would run **{Q}** here.", Q, Method.IN_SENTENCE, (BEFORE, AFTER)),
    ("bold, a semicolon within", f"**{Q};**", f"{Q};", Method.BARE),
    ("bold, a power and stars in a text", "**SELECT 2**3, '** x'**", "SELECT 2**3, '** x'", Method.BARE),
    ("FROM first, own line", "Here:\nFROM t SELECT a", "FROM t SELECT a", Method.AFTER_PROSE, (BEFORE,)),
    ("FROM first, in a block", "```\nFROM t SELECT a\n```", "FROM t SELECT a", Method.FENCED),
    ("prose with FROM first", "From the singers select a name.\nFROM singers SELECT the name", None, Method.NONE),
    ("a call as Python, cut off", '<|python_tag|>run_sql.call(query="SELECT name', None, Method.NONE),
    ("a call as Python without SQL", '<|python_tag|>search.call(query="singers")', None, Method.NONE),
    ("prose before, own line", f"Here is the query.\n{Q}", Q, Method.AFTER_PROSE, (BEFORE,)),
    ("prose before and after", f"Here is the query:\n\n{Q}\n\nIt lists names.", Q, Method.AFTER_PROSE, (BEFORE, AFTER)),
    ("prose before, WITH", f"With this we count them:\n{CTE}", CTE, Method.AFTER_PROSE, (BEFORE,)),
    ("prose before, comment kept", f"Here:\n\n-- old ones\n{Q}", f"-- old ones\n{Q}", Method.AFTER_PROSE, (BEFORE,)),
    (
        "LangChain's style",
        f"Question: names?\nSQLQuery: {Q}\nSQLResult: Joe\nAnswer: Joe",
        Q,
        Method.AFTER_PROSE,
        (BEFORE, AFTER),
    ),
    ("full stop after a sentence", f"The query is: {Q}.", Q, Method.AFTER_PROSE, (BEFORE, AFTER)),
    ("inline code", f"Use `{Q}` for that.", Q, Method.INLINE_CODE, (BEFORE, AFTER)),
    (
        "inline code with double backticks",
        "Use ``SELECT `a` FROM t`` for that.",
        "SELECT `a` FROM t",
        Method.INLINE_CODE,
        (BEFORE, AFTER),
    ),
    (
        "inline code after a name",
        f"The table `singer` is enough: `{Q}`, where `age` is in years.",
        Q,
        Method.INLINE_CODE,
        (BEFORE, AFTER),
    ),
    ("in a sentence", f"The answer would be {Q}.", Q, Method.IN_SENTENCE, (BEFORE, AFTER)),
    ("in a sentence, more after", f"You could run {Q}. This lists names.", Q, Method.IN_SENTENCE, (BEFORE, AFTER)),
    ("in brackets in a sentence", f"I would run it ({Q}) and look.", Q, Method.IN_SENTENCE, (BEFORE, AFTER)),
    ("JSON", json.dumps({"sql": MULTILINE}), MULTILINE, Method.JSON),
    ("JSON with more keys", json.dumps({"reasoning": f"`{Q}`?", "sql": Q}), Q, Method.JSON, (FIELDS,)),
    ("JSON in a block", f"```json\n{json.dumps({'sql': Q})}\n```", Q, Method.JSON),
    ("JSON in prose", f'The result: {{"sql": "{Q}"}} as asked.', Q, Method.JSON, (BEFORE, AFTER)),
    ("JSON without SQL", '{"sql": null}', None, Method.NONE),
    ("JSON in the SQL", (inner := f'{Q} WHERE p @> \'{{"query": "x"}}\' AND a = 3'), inner, Method.BARE),
    ("JSON with SQL in the SQL", (inner := f'{Q} WHERE p = \'{{"sql": "{Q}"}}\''), inner, Method.BARE),
    ("JSON in inline code", f"Use `{inner}`.", inner, Method.INLINE_CODE, (BEFORE, AFTER)),
    ("JSON in the SQL after prose", f"The query is:\n{inner}", inner, Method.AFTER_PROSE, (BEFORE,)),
    ("a struct in the SQL", (inner := 'SELECT a, {"query": b} AS s FROM t'), inner, Method.BARE),
    ("JSON below a statement", f'I tried:\nSELECT 0\n{{"sql": "{Q}"}}', Q, Method.JSON, (BEFORE,)),
    ("JSON that is an example", f'Of {{"input": "SELECT 0"}}:\n\n{Q}', Q, Method.AFTER_PROSE, (BEFORE,)),
    ("JSON that was tried", f'I ran {{"code": "SELECT 0 FROM t"}}. Now `{Q}`', Q, Method.INLINE_CODE, (BEFORE,)),
    ("JSON that is the answer", f'So {{"answer": "{Q}"}}.', Q, Method.JSON, (BEFORE, AFTER)),
    ("JSON, deep", '{"a":' * 100_000, None, Method.NONE),
    ("reasoning", f"<think>\n```sql\nSELECT 0\n```\n</think>\n```sql\n{Q}\n```", Q, Method.FENCED_SQL, (REASONING,)),
    (
        "reasoning with an unclosed fence",
        f"<think>\n```sql\nSELECT 0\n</think>\n```sql\n{Q}\n```",
        Q,
        Method.FENCED_SQL,
        (REASONING,),
    ),
    ("reasoning that the prompt opened", f"I try SELECT 0 FROM t.\n</think>\n\n{Q}", Q, Method.BARE, (REASONING,)),
    ("reasoning cut off", f"<think>\nMaybe {Q}", None, Method.NONE, (REASONING,)),
    ("reasoning tag in the SQL", "```sql\nSELECT '</think>'\n```", "SELECT '</think>'", Method.FENCED_SQL),
    ("nothing", "", None, Method.NONE),
    ("only the first word", "SELECT", None, Method.NONE),
    ("refusal after the first word", "SELECT I'm sorry, but the tables are empty.", None, Method.NONE),
    ("prose after the first word", "SELECT The question needs several steps. Here they are:", None, Method.NONE),
    ("refusal", "I cannot answer that from this schema.", None, Method.NONE),
    ("prose with Select", "Select the oldest singer from the table and count the concerts.", None, Method.NONE),
    ("prose with select from", "select all singers from the singer table", None, Method.NONE),
    ("prose with dashes", "Select one -- the best -- from the list.", None, Method.NONE),
    ("prose with With", "With this schema, as (far as) I can see, no query is possible.", None, Method.NONE),
    (
        "prose with Select, steps",
        "1. Select a table\n2. Select one of its columns from it\n3. Order by age",
        None,
        Method.NONE,
    ),
    (
        "prose about SQL",
        "A SELECT statement with a WHERE clause would do. Use SELECT to pick and FROM to name.",
        None,
        Method.NONE,
    ),
    ("prose about clauses", "The SELECT and FROM clauses are missing.", None, Method.NONE),
    ("prose with Delete and Update", "Update the table, delete from it, create a view.", None, Method.NONE),
    ("keywords as inline code", "Use `SELECT` and `FROM`, then `WITH`.", None, Method.NONE),
]


@pytest.mark.parametrize(
    ("answer", "sql", "method", "removed"),
    [pytest.param(*case[1:4], *(case[4:] or ((),)), id=case[0]) for case in CASES],
)
def test_case(answer: str, sql: str | None, method: Method, removed: tuple[Removed, ...]) -> None:
    assert extract(answer) == Extraction(sql, method, removed)


def test_names_of_cases_are_unique() -> None:
    assert len({case[0] for case in CASES}) == len(CASES) >= 80


@pytest.mark.parametrize(
    ("answer", "method", "removed"),
    [
        (ARGUMENTS, Method.JSON, ()),
        (f"<think>hm</think>Here: {ARGUMENTS} Done.", Method.JSON, (REASONING, BEFORE, AFTER)),
        (f"A\n```json\n{ARGUMENTS}\n```\n```\nC\n```", Method.JSON, (BEFORE, BLOCKS)),
        (json.dumps({"sql": Q, "why": "because"}), Method.JSON, (FIELDS,)),
        (f'Of {{a}} and {{"b": 1}}: {json.dumps({"why": "so", "sql": Q})}', Method.JSON, (BEFORE, FIELDS)),
        (f"<tool_call>{CALL}</tool_call>", Method.TOOL_CALL, ()),
        (f"{ARGUMENTS}<|im_end|>", Method.JSON, (ENDED,)),
    ],
)
def test_where_only_json_counts(answer: str, method: Method, removed: tuple[Removed, ...]) -> None:
    assert EXTRACTORS["json"](answer) == Extraction(Q, method, removed)


@pytest.mark.parametrize("answer", [f"```sql\n{Q}\n```", Q, "{}", "[]", "", '{"sql": 5}'])
def test_what_is_no_json_where_only_json_counts(answer: str) -> None:
    assert EXTRACTORS["json"](answer).sql is None


PIECES = st.sampled_from(
    [
        "```",
        "```sql\n",
        "~~~",
        "`",
        "<think>",
        "</think>",
        "SELECT ",
        "select name from t",
        "WITH a AS (",
        "FROM ",
        ";",
        "{",
        '{"sql": "',
        '{"name": "f", "arguments": {"sql": "',
        "<tool_call>",
        "</sql>",
        "<sql>",
        "<|im_end|>",
        "}",
        "'",
        '"',
        "--",
        "/*",
        "*/",
        "(",
        ")",
        "\n",
        "\n\n",
        "The query: ",
        ". This ",
        "\r\n",
        " ",
    ]
)


@given(st.one_of(st.text(), st.lists(st.one_of(PIECES, st.text(max_size=5))).map("".join)))
def test_never_raises_and_never_invents(answer: str) -> None:
    found = extract(answer)
    assert (found.sql is None) == (found.method is Method.NONE)
    if found.sql is not None:
        assert found.sql.strip()
        assert found.sql in answer or found.method in (Method.JSON, Method.TOOL_CALL)


@given(
    sql=st.one_of(st.text(), st.lists(st.one_of(PIECES, st.text(max_size=5))).map("".join)).filter(
        lambda sql: sql.strip() and "```" not in sql
    ),
    before=st.sampled_from(["", "Here is the query:\n\n", "Select the best:\n", "I use `SELECT a FROM b`:\n"]),
    label=st.sampled_from(["sql", "SQL", "sqlite", "postgresql", "sql copy"]),
    after=st.sampled_from(["", "\n", "\n\nThis counts them. SELECT picks columns FROM t.", "\n```\n1 | 2\n```\n"]),
)
def test_fenced_sql_comes_back_as_it_is(sql: str, before: str, label: str, after: str) -> None:
    assert extract(f"{before}```{label}\n{sql}\n```{after}").sql == sql.strip()


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "piece",
    [
        "```",
        "`",
        "~~~\n",
        "```sql\n",
        "x ```\na```\n",
        "select a from ",
        "SELECT a FROM t ",
        "(",
        "(SELECT ",
        "-- a\n",
        "/*",
        "'",
        '"',
        "\n",
        "\n ",
        " ",
        "{",
        '{"sql":',
        "WITH a AS (",
        "</think>",
        "<think>",
        "SELECT ",
        ";",
        "*/ ",
        "SELECT 1;\n\n",
        "Select 1\nThis is\n",
        "- SELECT a: b\n",
        "`SELECT 1` ",
        "<tool_call>",
        '<tool_call>{"name": "f", "arguments": {"sql": "SELECT 1"}}</tool_call>',
        '<tool_call>{"name": ',
        '{"name": ',
        '[{"id": 1, "',
        '<invoke name="f"><parameter name="sql">',
        "<function=f><parameter=sql>x</parameter>",
        "<sql>",
        "</sql>",
        "<sql>SELECT 1",
        "<sql>SELECT 1</sql>",
        "<sql><answer>SELECT 1</answer></sql>",
        "</s>\n",
        "```\n</sql>\n```\n",
        "<sql></sql>",
        "```\n</s>\n```\n",
        "<|channel|>analysis<|message|>",
        "1. a\n",
        '{"a":{"b":1},"c":',
        '{"a": "',
        "\n<think>",
        "\n<think></think>",
        "<thinking></think>",
        "x <think>",
        "SELECT 1 -- '\n",
        "EXPLAIN (a) ",
    ],
)
def test_hostile_answers_are_read(piece: str) -> None:
    """Reading them must not be quadratic: pytest's time limit is the judge."""
    answer = piece * (100_000 // len(piece))
    extract(answer)
    extract("SELECT 1 " + answer)


def test_tags_within_tags_end() -> None:
    """However they are spelled: a model that is hostile must not exhaust the stack."""
    name = "final_answer"
    spelled = ["".join(letter.upper() if n >> i & 1 else letter for i, letter in enumerate(name)) for n in range(4096)]
    nested = "".join(f"<{one}>" for one in spelled) + Q + "".join(f"</{one}>" for one in reversed(spelled))
    assert extract(nested).sql is not None


def test_outputs_are_known() -> None:
    assert EXTRACTORS["sql_block"] is extract


ONE = '{"grade": "good", "why": {"a": [1, "}"]}}'


@pytest.mark.parametrize(
    "answer",
    [
        ONE,
        f"  {ONE}\n",
        f"```json\n{ONE}\n```",
        f"I think {{so}}: {ONE}. That is all.",
        f"{ONE} and once more {ONE}",
        f'<think>perhaps {{"grade": "bad"}}</think>{ONE}',
        f"{ONE}<think>that was it</think>",
    ],
    ids=ascii,
)
def test_the_only_object_of_an_answer(answer: str) -> None:
    assert only_object(answer) == {"grade": "good", "why": {"a": [1, "}"]}}


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "good",
        "[1, 2]",
        ONE[:-1],
        f'{ONE} or rather {{"grade": "bad"}}',
        f'{ONE}<think>no</think>{{"grade": "bad"}}',
        '{"grade": "bad", "grade": "good"}',
        '{"a": {"grade": "bad", "grade": "good"}}',
        "{" * 10_000,
        '{"a":' * 10_000,
    ],
    ids=lambda answer: ascii(answer)[:40],
)
def test_an_answer_without_one_or_with_several(answer: str) -> None:
    assert only_object(answer) is None
