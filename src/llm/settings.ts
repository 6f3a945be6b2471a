import type { ModelOverrides } from './models.js';

/** All that `createModels` needs to know. This folder reads no environment: `base/config.ts` does, and passes this. */
export interface LlmSettings {
  /** The model to use when a caller names none, in any form that `resolveModel` takes: AGENT_RUNTIME_MODEL. */
  model?: string | undefined;
  anthropic?: KeyedSettings | undefined;
  google?: KeyedSettings | undefined;
  ollama?: OllamaSettings | undefined;
  /** Absent when the user's own CLI is not to be used at all. */
  claudeCode?: ClaudeCodeSettings | undefined;
  /** Modules of the user's own by name, each an absolute path: `custom:NAME` as a model. See `define-provider.ts`. */
  custom?: Record<string, string> | undefined;
  /** Changes to the shipped table of defaults, aliases and retired ids (`models.json`). */
  overrides?: ModelOverrides | undefined;
  /**
   * How long a vendor may stay silent, before its headers or in the middle of its stream, until the call fails with
   * `timeout`. Milliseconds, 300,000 by default; more is of no use, because Node's own fetch gives up then.
   */
  stallTimeoutMs?: number | undefined;
}

/** A vendor that wants an API key. */
export interface KeyedSettings {
  /** ANTHROPIC_API_KEY; GOOGLE_API_KEY or GEMINI_API_KEY. Without one the provider is not configured. */
  apiKey?: string | undefined;
  /** Where to send requests instead of the vendor's own address: ANTHROPIC_BASE_URL, GOOGLE_BASE_URL. No path. */
  baseUrl?: string | undefined;
}

export interface OllamaSettings {
  /** OLLAMA_BASE_URL or OLLAMA_HOST, a URL or `host:port`; `http://127.0.0.1:11434` by default. */
  baseUrl?: string | undefined;
  /** The local model that `ollama` without a name means; without it, the first that the server lists. */
  model?: string | undefined;
  /** Context window in tokens unless a call says otherwise; 8,192 by default. Ollama cuts longer prompts silently. */
  numCtx?: number | undefined;
  /** Extra headers, for a server that stands behind a proxy. Their values are treated as secrets. */
  headers?: Record<string, string> | undefined;
}

/** How to run the user's own agent CLI. Without `allowedTools` it answers with text and touches nothing. */
export interface ClaudeCodeSettings {
  /** Name on PATH or absolute path; `claude` by default. */
  command?: string | undefined;
  /** What `detectClaudeCode` found: false refuses the provider, true makes it a default, undefined means not looked. */
  isFound?: boolean | undefined;
  /** The environment to choose from. Only an allowlist of names is passed on, and never an API key. */
  env: Record<string, string | undefined>;
  /** More names to pass on from `env`, such as those that Bedrock or a gateway needs. */
  passEnv?: string[] | undefined;
  /** AGENT_RUNTIME_DEPTH of this process, 0 by default. At 1 or more the provider refuses: an agent must not start agents. */
  depth?: number | undefined;
  /** Tools it may use without asking, `Read` or `Bash(git log *)`; none by default. */
  allowedTools?: string[] | undefined;
  /** Absolute path it works in; the user's home by default, where no stranger can leave instructions or hooks. */
  workingDirectory?: string | undefined;
  /** What one call may cost, in US dollars. */
  maxBudgetUsd?: number | undefined;
  /** How long one call may take; 1,800,000 ms by default, the default of a job. */
  timeoutMs?: number | undefined;
  /** How long it has between SIGTERM and SIGKILL; 5,000 ms by default. */
  graceMs?: number | undefined;
}
