import { ActionIcon, Text } from '@mantine/core';
import { useElementSize } from '@mantine/hooks';
import { IconChevronLeft, IconChevronRight } from '@tabler/icons-react';
import { useState } from 'react';
import { useTexts } from '../../i18n/index.tsx';
import { bestGrid, inView, tilesPerPage } from './grid.ts';
import type { Live, Person, Share } from './live.ts';
import style from './room.module.css';
import { ShareTile, Tile } from './tile.tsx';

export type View = 'grid' | 'speaker';

const gap = 10;

/** Stage shows a shared screen when there is one, else what the viewer chose: everybody alike, or the speaker large. */
export function Stage({ live, speakers, view }: { live: Live; speakers: string[]; view: View }) {
  const share = live.shares.find((s) => !s.person.local);
  if (share) return <Focus share={share} people={bySpeech(live.people, speakers)} />;
  const large = view === 'speaker' && live.people.length > 1 ? (live.people.find((p) => p.identity === speakers[0]) ?? live.people[1]) : undefined;
  if (large) return <Focus large={large} people={bySpeech(live.people, speakers).filter((p) => p !== large)} />;
  return <Everybody people={live.people} speakers={speakers} />;
}

/** Who spoke lately first: beside a large picture there is little room. */
function bySpeech(people: Person[], speakers: string[]): Person[] {
  const rank = (p: Person) => {
    const at = speakers.indexOf(p.identity);
    return at < 0 ? speakers.length : at;
  };
  return [...people].sort((a, b) => rank(a) - rank(b));
}

function Everybody({ people, speakers }: { people: Person[]; speakers: string[] }) {
  const { ref, width, height } = useElementSize();
  const [page, setPage] = useState(0);
  const size = tilesPerPage(width);
  const pages = Math.max(1, Math.ceil(people.length / size));
  const at = Math.min(page, pages - 1);
  const byID = new Map(people.map((p) => [p.identity, p]));
  const shown = inView([...byID.keys()], speakers, size)
    .slice(at * size, (at + 1) * size)
    .map((id) => byID.get(id)!);
  const grid = bestGrid(shown.length, width, height, gap);
  return (
    <div className={style.stage} data-testid="stage" data-view="grid">
      <div ref={ref} className={style.grid} style={{ gap }}>
        {width > 0 && shown.map((p) => <Tile key={p.identity} person={p} css={{ width: grid.width, height: grid.height }} />)}
      </div>
      {pages > 1 && <Pager page={at} pages={pages} onPage={setPage} />}
    </div>
  );
}

function Pager({ page, pages, onPage }: { page: number; pages: number; onPage: (p: number) => void }) {
  const { t } = useTexts();
  return (
    <div className={style.pager}>
      <ActionIcon variant="subtle" color="gray.4" aria-label={t('room.page_previous')} disabled={page === 0} onClick={() => onPage(page - 1)}>
        <IconChevronLeft aria-hidden />
      </ActionIcon>
      <Text size="sm" c="gray.4">
        {t('room.page_of', { page: page + 1, pages })}
      </Text>
      <ActionIcon variant="subtle" color="gray.4" aria-label={t('room.page_next')} disabled={page >= pages - 1} onClick={() => onPage(page + 1)}>
        <IconChevronRight aria-hidden />
      </ActionIcon>
    </div>
  );
}

/** Focus is one large picture with the others in a strip, beside it or below. */
function Focus({ share, large, people }: { share?: Share; large?: Person; people: Person[] }) {
  return (
    <div className={style.focus} data-testid="stage" data-view={share ? 'share' : 'speaker'}>
      <div className={style.large}>
        {share ? <ShareTile key={share.publication.trackSid} share={share} /> : large && <Tile person={large} css={{ width: '100%', height: '100%' }} />}
      </div>
      {people.length > 0 && (
        <div className={style.strip} tabIndex={0}>
          {people.map((p) => (
            <Tile key={p.identity} person={p} css={{ flex: 'none' }} />
          ))}
        </div>
      )}
    </div>
  );
}
