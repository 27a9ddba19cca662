"""A server that speaks SGLang's log language and the OpenAI API but computes nothing; only ever run as a process."""
