import type { ComponentChildren } from 'preact';
import { useMemo, useState } from 'preact/hooks';
import { number } from '../format.js';
import { Code } from './code.js';
import { type Inline, parseInline, plainOf } from './inline.js';
import { type Block, type ListItem, parseMarkdown } from './markdown.js';
import { Pieces } from './pieces.js';

/** Blocks of so many characters are drawn at once; for the others one asks. A block that is longer is not formatted. */
const atOnce = 60_000;

/**
 * A Markdown text, drawn from its parsed parts: nothing of it is taken as HTML, links lead to the web alone and say
 * where, and pictures are links.
 */
export function Prose({ text }: { text: string }) {
  const parts = useMemo(() => parseMarkdown(text), [text]);
  const [most, setMost] = useState(atOnce);
  let size = 0;
  const shown = parts.filter(({ source }) => {
    const isWanted = size < most;
    size += source.length;
    return isWanted;
  });
  return (
    <div class="prose">
      {shown.map(({ block, source }, index) =>
        source.length > atOnce ? <Pieces key={index} text={source} /> : <Drawn key={index} block={block} />,
      )}
      {shown.length < parts.length && (
        <button type="button" onClick={() => setMost(most + atOnce)}>
          Show more: {number(shown.length)} of {number(parts.length)} parts are shown
        </button>
      )}
    </div>
  );
}

function Drawn({ block }: { block: Block }) {
  switch (block.kind) {
    case 'rule':
      return <hr />;
    case 'plain':
      return <pre>{block.text}</pre>;
    case 'code':
      return <Code language={block.language} text={block.text} />;
    case 'heading':
      return <Heading level={block.level}>{inline(block.text)}</Heading>;
    case 'quote':
      return (
        <blockquote>
          {block.blocks.map((inside, index) => (
            <Drawn key={index} block={inside} />
          ))}
        </blockquote>
      );
    case 'list':
      return <List list={block} />;
    case 'table':
      return <Table table={block} />;
    default:
      return <p>{inline(block.text)}</p>;
  }
}

/** Below the headings of the page, whose third level names the text. */
function Heading({ level, children }: { level: number; children: ComponentChildren }) {
  const Tag = `h${Math.min(6, level + 3)}` as 'h4';
  return <Tag class={`prose-${Math.min(4, level)}`}>{children}</Tag>;
}

function List({ list: { start, items, isLoose } }: { list: Extract<Block, { kind: 'list' }> }) {
  const Tag = start === undefined ? 'ul' : 'ol';
  return (
    <Tag start={start === undefined || start === 1 ? undefined : start}>
      {items.map((item, index) => (
        <Item key={index} item={item} isLoose={isLoose} />
      ))}
    </Tag>
  );
}

function Item({ item: { isDone, blocks }, isLoose }: { item: ListItem; isLoose: boolean }) {
  return (
    <li class={isDone === undefined ? undefined : 'task-item'}>
      {isDone !== undefined && (
        <input type="checkbox" checked={isDone} disabled aria-label={isDone ? 'done' : 'open'} />
      )}
      {blocks.map((block, index) =>
        block.kind === 'paragraph' && !isLoose ? (
          <span key={index}>{inline(block.text)}</span>
        ) : (
          <Drawn key={index} block={block} />
        ),
      )}
    </li>
  );
}

function Table({ table: { aligns, rows } }: { table: Extract<Block, { kind: 'table' }> }) {
  const [head = [], ...others] = rows;
  const cell = (Tag: 'th' | 'td', text: string, column: number) => (
    <Tag key={column} class={aligns[column]}>
      {inline(text)}
    </Tag>
  );
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: scrolling with the keyboard needs focus.
    <section class="scroll-x" tabIndex={0} aria-label="Table">
      <table>
        <thead>
          <tr>{head.map((text, column) => cell('th', text, column))}</tr>
        </thead>
        <tbody>
          {others.map((row, index) => (
            <tr key={index}>{row.map((text, column) => cell('td', text, column))}</tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

const inline = (text: string): ComponentChildren => parseInline(text).map(draw);

function draw(part: Inline, index: number): ComponentChildren {
  if (typeof part === 'string') return part;
  switch (part.kind) {
    case 'break':
      return <br key={index} />;
    case 'code':
      return <code key={index}>{part.text}</code>;
    case 'link':
      return <WebLink key={index} href={part.href} inside={part.inside} />;
    case 'picture':
      return <WebLink key={index} href={part.href} inside={[`Picture: ${part.text || part.href}`]} />;
    default: {
      const Tag = part.kind;
      return <Tag key={index}>{part.inside.map(draw)}</Tag>;
    }
  }
}

/** A link to the web with the name of its host, unless its text is the address; anything else is text. */
function WebLink({ href, inside }: { href: string; inside: readonly Inline[] }) {
  const text = plainOf(inside);
  const url = /^(https?:\/\/|mailto:)/i.test(href) && URL.canParse(href) ? new URL(href) : undefined;
  if (!url) {
    return (
      <>
        {inside.map(draw)} <code>({href})</code>
      </>
    );
  }
  const target = url.protocol === 'mailto:' ? url.pathname : url.host;
  return (
    <>
      <a href={url.href} target="_blank" rel="noopener noreferrer nofollow" title={url.href}>
        {inside.map(draw)}
      </a>
      {text !== href && <span class="target"> ({target})</span>}
    </>
  );
}
