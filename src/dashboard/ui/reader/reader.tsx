import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { bytes } from '../format.js';
import { copy, save } from '../save.js';
import { Find } from './find-bar.js';
import { JsonTree } from './json-tree.js';
import { type Kind, kindOf, longestFormatted, parsed } from './kind.js';
import { Patch } from './patch.js';
import { Pieces } from './pieces.js';
import { Prose } from './prose.js';

export interface ReaderProps {
  /** The heading over the text; without one, the text stands by itself. */
  title?: string | undefined;
  /** What stands beside the heading. */
  about?: ComponentChildren;
  text: string;
  /** How the text is shown where it does not look like something else: Markdown unless given. */
  kind?: Kind;
  /** Of the file that it is saved as, without ending. */
  name?: string;
  isBad?: boolean;
  /** It is being written: a reader at its end stays there. */
  isGrowing?: boolean;
}

/** Up to here a text needs no search, and no file to take along. */
const short = 1_000;
/** Up to here a formatted text is no box that scrolls within the page. */
const page = 15_000;

/**
 * A text as what it is: Markdown formatted, JSON as a tree, a terminal's output in its colours. It can be seen as it is
 * written, searched, copied and saved.
 */
export function Reader({ title, about, text, kind: otherwise = 'markdown', name, isBad, isGrowing }: ReaderProps) {
  const isLong = text.length > longestFormatted;
  const kind = useMemo(
    () => (isGrowing ? 'plain' : kindOf(text, isBad && otherwise === 'markdown' ? 'plain' : otherwise)),
    [text, otherwise, isGrowing, isBad],
  );
  const canFormat = kind === 'markdown' || kind === 'json' || kind === 'patch';
  const [isFormatted, setFormatted] = useState<boolean>();
  const [isWrapped, setWrapped] = useState(true);
  const [isSetWhole, setWhole] = useState<boolean>();
  const [isFinding, setFinding] = useState(false);
  const pane = useRef<HTMLDivElement>(null);
  const shown =
    canFormat && (isFormatted ?? !isLong) ? kind : otherwise === 'console' || kind === 'console' ? 'console' : 'plain';
  const isWhole = isSetWhole ?? (shown === 'markdown' && text.length < page);
  const isText = shown === 'plain' || shown === 'console';
  const isMono = shown === 'console' || (isText && otherwise !== 'markdown') || (isText && canFormat);
  const classes = [
    'passage',
    isBad ? 'bad' : '',
    isGrowing ? 'writing' : '',
    isMono ? 'mono' : '',
    isText && !isWrapped ? 'unwrapped' : '',
    isWhole ? 'whole' : '',
  ];
  useStayAtEnd(pane, text, isGrowing === true);
  return (
    <section class="reader">
      <div class="reader-head">
        {title && <h3>{title}</h3>}
        {about}
        <div class="tools">
          {canFormat && (kind !== 'markdown' || marks.test(text)) && (
            <Switch label="As written" isOn={shown !== kind} onClick={() => setFormatted(shown !== kind)} />
          )}
          {isText && (text.length > short || isMono) && (
            <Switch label="Wrap" isOn={isWrapped} onClick={() => setWrapped(!isWrapped)} />
          )}
          {text.length > short && (
            <>
              <Switch label="Find" isOn={isFinding} onClick={() => setFinding(!isFinding)} />
              <Switch label="Full height" isOn={isWhole} onClick={() => setWhole(!isWhole)} />
              <button
                type="button"
                title={bytes(text.length)}
                onClick={() => save(text, `${name ?? 'text'}.${ending(kind)}`)}
              >
                Download
              </button>
            </>
          )}
          <button type="button" onClick={() => copy(text, title ?? 'The text')}>
            Copy
          </button>
        </div>
      </div>
      {isFinding && <Find pane={pane} text={text} onClose={() => setFinding(false)} />}
      {isLong && canFormat && shown !== kind && (
        <p class="quiet small">A long text is formatted when you turn off “As written”.</p>
      )}
      <div
        ref={pane}
        class={classes.filter((word) => word !== '').join(' ')}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: scrolling with the keyboard needs focus.
        tabIndex={0}
      >
        {shown === 'markdown' && <Prose text={text} />}
        {shown === 'json' && <JsonTree value={parsed(text)} />}
        {shown === 'patch' && <Patch text={text} />}
        {isText && <Pieces text={text} isConsole={shown === 'console'} />}
      </div>
    </section>
  );
}

/** Without one of these, Markdown looks as it is written. */
const marks = /[*_`#|[\]<>~\\&]|:\/\/|^\s*(?:[-+]|\d+[.)])|^(?:==|--)/m;

const ending = (kind: Kind): string =>
  ({ markdown: 'md', json: 'json', console: 'log', patch: 'diff', plain: 'txt' })[kind];

function Switch({ label, isOn, onClick }: { label: string; isOn: boolean; onClick(): void }) {
  return (
    <button type="button" aria-pressed={isOn} onClick={onClick}>
      {label}
    </button>
  );
}

/** Scrolls with a growing text for a reader who is at its end. */
function useStayAtEnd(pane: { current: HTMLElement | null }, text: string, isGrowing: boolean): void {
  const isAtEnd = useRef(true);
  useLayoutEffect(() => {
    const { current } = pane;
    if (!current) return;
    const onScroll = () => {
      isAtEnd.current = current.scrollHeight - current.scrollTop - current.clientHeight < 48;
    };
    current.addEventListener('scroll', onScroll, { passive: true });
    return () => current.removeEventListener('scroll', onScroll);
  }, []);
  useLayoutEffect(() => {
    const { current } = pane;
    if (current && isGrowing && isAtEnd.current) current.scrollTop = current.scrollHeight;
  }, [text, isGrowing]);
}
