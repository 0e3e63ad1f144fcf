import { useConnectionQualityIndicator, useIsSpeaking, VideoTrack } from '@livekit/components-react';
import { Avatar, Tooltip } from '@mantine/core';
import { IconCrown, IconMicrophoneOff, IconScreenShare } from '@tabler/icons-react';
import { ConnectionQuality, Track } from 'livekit-client';
import type { CSSProperties } from 'react';
import { type Key, useTexts } from '../../i18n/index.tsx';
import { initials } from '../../parts/format.ts';
import type { Person, Share } from './live.ts';
import style from './room.module.css';

/** Tile is one person: their picture or what stands for it, their name, and whether they can be heard. */
export function Tile({ person, css }: { person: Person; css?: CSSProperties }) {
  const { t } = useTexts();
  const speaking = useIsSpeaking(person.participant);
  const { quality } = useConnectionQualityIndicator({ participant: person.participant });
  const publication = person.participant.getTrackPublication(Track.Source.Camera);
  const showing = person.camera && publication?.track;
  const name = person.local ? t('room.you', { name: person.name }) : person.name;
  return (
    <div
      className={style.tile}
      style={css}
      role="group"
      aria-label={[name, t(person.mic ? 'room.mic_is_on' : 'room.mic_is_off'), person.camera ? '' : t('room.camera_is_off'), speaking ? t('room.speaking') : '']
        .filter(Boolean)
        .join(', ')}
      data-testid="tile"
      data-identity={person.identity}
      data-name={person.name}
      data-local={person.local}
      data-camera={showing ? 'on' : 'off'}
      data-mic={person.mic ? 'on' : 'off'}
      data-speaking={speaking && person.mic}
    >
      {showing ? (
        <VideoTrack
          trackRef={{ participant: person.participant, source: Track.Source.Camera, publication }}
          className={style.picture}
          data-mirror={person.local}
          data-testid="tile-video"
        />
      ) : (
        <div className={style.faceless}>
          <Avatar size="min(35%, 112px)" radius="100%" color="lake" variant="filled" className={style.avatar}>
            <span aria-hidden>{initials(person.name)}</span>
          </Avatar>
        </div>
      )}
      <div className={style.plate}>
        {!person.mic && <IconMicrophoneOff size={15} color="var(--mantine-color-coral-4)" aria-hidden />}
        {person.host && (
          <Tooltip label={t('room.host')}>
            <IconCrown size={15} aria-hidden />
          </Tooltip>
        )}
        <span className={style.plateName} data-testid="tile-name">
          {name}
        </span>
        <Quality quality={quality} />
      </div>
    </div>
  );
}

const qualities: Record<ConnectionQuality, { key: Key; bars: number }> = {
  [ConnectionQuality.Excellent]: { key: 'room.quality_excellent', bars: 3 },
  [ConnectionQuality.Good]: { key: 'room.quality_good', bars: 2 },
  [ConnectionQuality.Poor]: { key: 'room.quality_poor', bars: 1 },
  [ConnectionQuality.Lost]: { key: 'room.quality_lost', bars: 0 },
  [ConnectionQuality.Unknown]: { key: 'room.quality_unknown', bars: 3 },
};

/** Quality is three bars, as on a telephone; how many are lit is also said. */
export function Quality({ quality }: { quality: ConnectionQuality }) {
  const { t } = useTexts();
  const { key, bars } = qualities[quality] ?? qualities[ConnectionQuality.Unknown];
  return (
    <Tooltip label={t(key)}>
      <svg width="15" height="12" viewBox="0 0 15 12" role="img" aria-label={t(key)} data-testid="quality" data-quality={quality} style={{ flex: 'none' }}>
        {[0, 1, 2].map((i) => (
          <rect
            key={i}
            x={i * 5.2}
            y={8 - i * 4}
            width="3.6"
            height={4 + i * 4}
            rx="1"
            fill={i >= bars ? 'rgb(255 255 255 / 0.3)' : bars === 1 ? 'var(--mantine-color-coral-4)' : '#fff'}
            opacity={quality === ConnectionQuality.Unknown ? 0.4 : 1}
          />
        ))}
      </svg>
    </Tooltip>
  );
}

/** ShareTile is somebody's screen, whole: nothing of it may be cut off. */
export function ShareTile({ share }: { share: Share }) {
  const { t } = useTexts();
  const label = t('room.screen_of', { name: share.person.name });
  return (
    <div
      className={style.tile}
      style={{ width: '100%', height: '100%' }}
      role="group"
      aria-label={label}
      data-testid="share"
      data-identity={share.person.identity}
      data-name={share.person.name}
    >
      <VideoTrack
        trackRef={{ participant: share.person.participant, source: Track.Source.ScreenShare, publication: share.publication }}
        className={style.screen}
        data-testid="share-video"
      />
      <div className={style.plate}>
        <IconScreenShare size={15} aria-hidden />
        <span className={style.plateName}>{label}</span>
      </div>
    </div>
  );
}
