/** What it takes to serve over HTTP, on the command line. */
export interface HttpFlags {
  port?: number;
  host: string;
  allowHost: string[];
  /** False by `--no-token`. */
  token: boolean;
}
