/** What any program needs to run and to reach the network as its user would. */
export const ordinaryVariables: readonly string[] = [
  'HOME',
  'LOGNAME',
  'PATH',
  'SHELL',
  'TERM',
  'USER',
  'LANG',
  'LC_ALL',
  'TZ',
  'TMPDIR',
  'TEMP',
  'TMP',
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'NO_PROXY',
  'http_proxy',
  'https_proxy',
  'no_proxy',
  'NODE_EXTRA_CA_CERTS',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  'XDG_CONFIG_HOME',
  // Windows
  'APPDATA',
  'COMSPEC',
  'HOMEDRIVE',
  'HOMEPATH',
  'LOCALAPPDATA',
  'PATHEXT',
  'PROCESSOR_ARCHITECTURE',
  'PROGRAMDATA',
  'PROGRAMFILES',
  'SYSTEMDRIVE',
  'SYSTEMROOT',
  'USERNAME',
  'USERPROFILE',
  // Where the user's own agent CLI keeps its login, if it is not in the home.
  'CLAUDE_CONFIG_DIR',
];

/**
 * The variable by which the processes that a runner starts can be told from all others, whatever groups and sessions
 * they have made their own: a child's environment is its parent's unless someone chose otherwise.
 */
export const runnerMark = 'AGENT_RUNTIME_RUNNER';
