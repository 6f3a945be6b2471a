import { createHash } from 'node:crypto';

export interface SignInForm {
  /** The address that is opened then. */
  to: string;
  /** Why the person is asked again. */
  problem?: string;
}

const style = `
  :root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif; }
  body { display: grid; place-items: center; min-height: 100vh; margin: 0; color: light-dark(#1a2130, #e4e8ef); background: light-dark(#f5f6f8, #0f1319); }
  main { box-sizing: border-box; width: min(30rem, 100vw); padding: 1.5rem; }
  h1 { margin: 0 0 1rem; font-size: 1.3rem; }
  form, nav { display: grid; gap: .5rem; }
  nav { margin-bottom: 1.2rem; }
  nav a { padding: .5rem .7rem; border-radius: 6px; text-align: center; text-decoration: none; color: light-dark(#fff, #0d1524); background: light-dark(#1d5bc6, #84b0ff); font-weight: 600; }
  input, button { box-sizing: border-box; width: 100%; min-height: 2.4rem; padding: .3rem .7rem; border: 1px solid light-dark(#8a93a3, #5d6878); border-radius: 6px; color: inherit; background: light-dark(#fff, #171c25); font: inherit; }
  button { border-color: transparent; color: light-dark(#fff, #0d1524); background: light-dark(#1d5bc6, #84b0ff); font-weight: 600; cursor: pointer; }
  :focus-visible { outline: 2px solid light-dark(#1d5bc6, #84b0ff); outline-offset: 2px; }
  .problem { color: light-dark(#b3261e, #ff8d85); }
  .ways { color: light-dark(#586274, #9aa5b7); font-size: .9rem; }
  code { font-family: ui-monospace, monospace; overflow-wrap: anywhere; }
`;

/** Only this style and a form to this server; no script, no picture. */
const policy = `default-src 'none'; style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'`;

/** An issuer at which people can log in, and the address that sends them there. */
export interface OfferedIssuer {
  name: string;
  path: string;
}

/** The page that opens an address of this server by itself, and its content security policy. */
export function leavingPage(to: string): { html: string; policy: string } {
  const html = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta http-equiv="refresh" content="0; url=${escaped(to)}" />
    <title>Agent Runtime</title>
  </head>
  <body><a href="${escaped(to)}">Go on</a></body>
</html>
`;
  return { html, policy: "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'" };
}

/** The page that asks a person who they are, and its content security policy. */
export function signInPage(
  { to, problem }: SignInForm,
  issuers: readonly OfferedIssuer[] = [],
): { html: string; policy: string } {
  const asked = escaped(new URLSearchParams({ to }).toString());
  const logins = issuers.map(
    ({ name, path }) => `<a href="${escaped(path)}?${asked}">Log in with ${escaped(name)}</a>`,
  );
  const html = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <title>Sign in · Agent Runtime</title>
    <style>${style}</style>
  </head>
  <body>
    <main>
      <h1>Sign in to Agent Runtime</h1>
      ${problem === undefined ? '' : `<p class="problem" role="alert">${escaped(problem)}</p>`}
      ${logins.length === 0 ? '' : `<nav aria-label="Company logins">${logins.join('')}</nav>`}
      <form method="post" action="/sign-in">
        <input type="hidden" name="to" value="${escaped(to)}" />
        <label for="secret">Token or code</label>
        <input id="secret" name="secret" type="password" required ${logins.length === 0 ? 'autofocus ' : ''}maxlength="12000" autocomplete="current-password" spellcheck="false" />
        <button>Sign in</button>
      </form>
      <p class="ways">The owner gets in by the address that <code>agent-runtime dashboard</code> prints, or by what
        <code>agent-runtime tool dashboard_url</code> returns for one that runs already: open it, or paste it here. It works once.
        For others the owner makes a token with <code>agent-runtime token create --name NAME</code>.</p>
    </main>
  </body>
</html>
`;
  return { html, policy };
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

const escaped = (text: string): string => text.replace(/[&<>"']/g, (character) => entities[character] ?? '');
