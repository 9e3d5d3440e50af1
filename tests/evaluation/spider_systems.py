"""The real systems whose predictions for Spider, and the official verdicts on them, are among the real data."""

SPIDER_SYSTEMS = (
    "c3sql_chatgpt",
    "codes-15b_sft",
    "codes-1b_sft",
    "codes-3b_sft",
    "dail-sql_gpt4",
    "dail-sql_gpt4_sc",
    "din-repo_CodeX_CodeX_few-shot",
    "din-repo_CodeX_DIN-SQL",
    "din-repo_GPT4_results_GPT4_few_shot",
    "dts-sql_deepseek7b",
    "graphix-t5_dail-repo",
    "spider-official-example",
)
