import { RoomAudioRenderer, RoomContext, useAudioPlayback, useConnectionQualityIndicator, useConnectionState } from '@livekit/components-react';
import { Alert, Button, Loader, Text } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { IconScreenShare, IconVolume } from '@tabler/icons-react';
import { ConnectionQuality, ConnectionState, type Participant, type Room, RoomEvent, Track, type TrackPublication } from 'livekit-client';
import { type ReactNode, useEffect, useLayoutEffect, useRef, useState } from 'react';
import { useTexts } from '../../i18n/index.tsx';
import { spacedNumber } from '../../parts/format.ts';
import { Mark } from '../../parts/logo.tsx';
import { AnnouncerProvider, useAnnouncer } from './announce.tsx';
import { Controls } from './controls.tsx';
import { type Live, useLive, useSpeakers } from './live.ts';
import { selfMuting } from './mute.ts';
import { People } from './people.tsx';
import type { Seat } from './phase.ts';
import { RecordingSign, useRecordingNews } from './recording.tsx';
import style from './room.module.css';
import { Stage, type View } from './stage.tsx';

interface RoomViewProps {
  room: Room;
  seat: Seat;
  meetingNo: string;
  topic: string;
}

/** RoomView is the meeting itself, dark whatever the pages are: pictures of people look best that way. */
export function RoomView(props: RoomViewProps) {
  useDark();
  useEffect(() => () => notifications.clean(), []); // news of a meeting that is over

  return (
    <RoomContext.Provider value={props.room}>
      <AnnouncerProvider>
        <Inside {...props} />
        <RoomAudioRenderer />
      </AnnouncerProvider>
    </RoomContext.Provider>
  );
}

function useDark() {
  useLayoutEffect(() => {
    const root = document.documentElement;
    const before = root.getAttribute('data-mantine-color-scheme');
    root.setAttribute('data-mantine-color-scheme', 'dark');
    root.setAttribute('data-in-room', ''); // styles.css puts toasts below the recording sign
    return () => {
      root.removeAttribute('data-in-room');
      if (before) root.setAttribute('data-mantine-color-scheme', before);
    };
  }, []);
}

function Inside({ room, seat, meetingNo, topic }: RoomViewProps) {
  const { t } = useTexts();
  const live = useLive(room);
  const speakers = useSpeakers(room);
  const connection = useConnectionState(room);
  const [view, setView] = useState<View>('grid');
  const [listed, setListed] = useState(false);
  const link = `${location.origin}/j/${meetingNo}`;
  const title = topic || t('home.no_topic');
  useRecordingNews(live.facts.recording);
  useComings(room);
  useHostNews(live);
  useMutedByHost(room);
  useEffect(() => {
    document.title = `${live.facts.recording ? '🔴 ' : ''}${title} · ${t('app.name')}`;
  }, [title, live.facts.recording, t]);
  return (
    <div
      className={style.room}
      data-testid="room"
      data-meeting-id={seat.joined.meeting_id}
      data-identity={live.me.identity}
      data-connection={connection}
      data-people={live.people.length}
      data-recording={live.facts.recording}
      data-host={live.me.host}
    >
      <header className={style.top}>
        <Mark size={26} />
        <RecordingSign facts={live.facts} />
        <div className={style.topic}>
          <h1>{title}</h1>
          <Text size="xs" c="gray.5" component="span">
            {spacedNumber(meetingNo)}
          </Text>
        </div>
      </header>
      <Banners room={room} connection={connection} live={live} />
      <main className={style.middle} id="main">
        <div className={style.stageBox}>
          <Stage live={live} speakers={speakers} view={view} />
          {live.people.length === 1 && <Alone link={link} />}
        </div>
        {listed && <People live={live} meeting={seat.joined.meeting_id} link={link} onClose={() => setListed(false)} />}
      </main>
      <Controls room={room} live={live} meeting={seat.joined.meeting_id} view={view} onView={setView} listed={listed} onList={() => setListed((on) => !on)} />
    </div>
  );
}

function Alone({ link }: { link: string }) {
  const { t } = useTexts();
  return (
    <div className={style.alone} data-testid="alone">
      <Text size="sm">{t('room.alone')}</Text>
      <Text size="sm" className="mono" c="gray.4">
        {link}
      </Text>
    </div>
  );
}

/** Banners say what is wrong right now, one line each. */
function Banners({ room, connection, live }: { room: Room; connection: ConnectionState; live: Live }) {
  const { t } = useTexts();
  const { tell } = useAnnouncer();
  const { quality } = useConnectionQualityIndicator({ participant: room.localParticipant });
  const sound = useAudioPlayback(room);
  const lost = connection === ConnectionState.Reconnecting || connection === ConnectionState.SignalReconnecting;
  const wasLost = useRef(false);
  useEffect(() => {
    if (wasLost.current && connection === ConnectionState.Connected) tell(t('room.reconnected'));
    wasLost.current = lost;
  }, [lost, connection, t, tell]);
  const mine = live.shares.find((s) => s.person.local);
  return (
    <>
      {lost && (
        <Banner color="yellow" icon={<Loader size={16} color="yellow" />} testId="reconnecting">
          {t('room.reconnecting')}
        </Banner>
      )}
      {!lost && quality === ConnectionQuality.Poor && live.me.camera && (
        <Banner color="yellow" testId="poor">
          {t('room.poor')}
        </Banner>
      )}
      {!sound.canPlayAudio && (
        <Banner
          color="lake"
          icon={<IconVolume size={18} aria-hidden />}
          testId="sound-blocked"
          action={
            <Button size="compact-sm" onClick={() => void sound.startAudio()}>
              {t('room.sound_allow')}
            </Button>
          }
        >
          {t('room.sound_blocked')}
        </Banner>
      )}
      {mine && (
        <Banner
          color="lake"
          icon={<IconScreenShare size={18} aria-hidden />}
          testId="sharing"
          action={
            <Button size="compact-sm" color="coral.7" onClick={() => void room.localParticipant.setScreenShareEnabled(false)}>
              {t('room.share_stop')}
            </Button>
          }
        >
          {t('room.sharing_you')}
        </Banner>
      )}
    </>
  );
}

function Banner({ children, color, icon, action, testId }: { children: ReactNode; color: string; icon?: ReactNode; action?: ReactNode; testId: string }) {
  return (
    <Alert
      color={color}
      variant="light"
      py={6}
      px="md"
      mx="sm"
      mb={6}
      icon={icon}
      role="status"
      data-testid={testId}
      styles={{ body: { alignSelf: 'center' }, icon: { marginTop: 0, alignSelf: 'center' } }}
    >
      <div style={{ display: 'flex', gap: 16, alignItems: 'center', justifyContent: 'space-between', flexWrap: 'wrap' }}>
        <span>{children}</span>
        {action}
      </div>
    </Alert>
  );
}

/** useComings says who comes and goes; the picture shows it to others. Shares are told as well. */
function useComings(room: Room) {
  const { t } = useTexts();
  const { say } = useAnnouncer();
  useEffect(() => {
    const came = (p: Participant) => say(t('room.joined', { name: p.name || p.identity }));
    const went = (p: Participant) => say(t('room.left', { name: p.name || p.identity }));
    const shared = (_: unknown, publication: TrackPublication, p: Participant) => {
      if (publication.source === Track.Source.ScreenShare) say(t('room.sharing', { name: p.name || p.identity }));
    };
    room.on(RoomEvent.ParticipantConnected, came).on(RoomEvent.ParticipantDisconnected, went).on(RoomEvent.TrackSubscribed, shared);
    return () => {
      room.off(RoomEvent.ParticipantConnected, came).off(RoomEvent.ParticipantDisconnected, went).off(RoomEvent.TrackSubscribed, shared);
    };
  }, [room, t, say]);
}

/** useHostNews tells a new host that they are, and the others who it is. */
function useHostNews(live: Live) {
  const { t } = useTexts();
  const { tell, say } = useAnnouncer();
  const host = live.people.find((p) => p.host);
  const identity = host?.identity;
  const before = useRef(identity);
  const known = useRef(host);
  known.current = host;
  useEffect(() => {
    if (before.current !== undefined && identity !== undefined && before.current !== identity) {
      if (known.current?.local) tell(t('room.you_are_host'));
      else say(t('room.new_host', { name: known.current?.name ?? '' }));
    }
    before.current = identity ?? before.current;
  }, [identity, t, tell, say]);
}

/** useMutedByHost explains a microphone that went off without its owner: Controls notes who asked. */
function useMutedByHost(room: Room) {
  const { t } = useTexts();
  const { tell } = useAnnouncer();
  useEffect(() => {
    const muted = (publication: TrackPublication, p: Participant) => {
      if (p.isLocal && publication.source === Track.Source.Microphone && !selfMuting.has(room)) tell(t('room.muted_by_host'), { urgent: true });
    };
    room.on(RoomEvent.TrackMuted, muted);
    return () => {
      room.off(RoomEvent.TrackMuted, muted);
    };
  }, [room, t, tell]);
}
