export interface RelayLine {
  pipeline_id: string;
  name: string;
  goal: string;
  status: string;
  current_step: number;
  total_steps: number;
  tokens_used: number;
  created_at: string;
  completed_at: string | null;
  progress_percent: number;
}

export interface RelayAgent {
  agent_id: string;
  agent_type: string;
  task_template: string;
  expected_output_type: string;
  max_tokens: number;
  quality_threshold: number;
  l_score_threshold?: number;
  fallback_agent: string | null;
  instructions?: string;
  model?: string;
}

/** One attempt of a step. */
export interface RelayResult {
  id: number;
  step_index: number;
  agent_id: string;
  status: string;
  quality_score: number;
  l_score: number;
  tokens_used: number;
  execution_time_ms: number;
  error_message: string | null;
  created_at: string;
  /** False for failed attempts and for results that a restart has superseded. */
  counts: boolean;
  output_summary?: string;
  output?: unknown;
}

/** A relay as get_relay_status gives it. */
export interface WholeRelay extends RelayLine {
  description: string;
  total_token_budget: number;
  remaining_budget: number;
  started_at: string | null;
  agents: RelayAgent[];
  results: RelayResult[];
  average_quality: number | null;
  average_l_score: number | null;
  baton?: { baton_id: string; step_index: number; agent_id: string; status: string; retry_count: number };
  run?: { run_id: string; job_id?: string; running: boolean; doing?: string };
  error?: { code: string; message: string };
}

export interface BatonRead {
  baton: { handed_over?: string; max_retries: number; quality_feedback?: string[] };
  prompt: string;
}

export const relayStatuses = ['pending', 'in_progress', 'completed', 'failed', 'cancelled'];
export const canGoOn = ({ status }: { status: string }): boolean => status !== 'completed' && status !== 'cancelled';
