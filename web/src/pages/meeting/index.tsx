// The meeting: lobby, room, and what comes after. One token per page load and per return, never reused.

import { Anchor, Box, Button, Container, Stack } from '@mantine/core';
import { IconCalendarOff, IconLock, IconSearchOff } from '@tabler/icons-react';
import { type DisconnectReason, LogLevel, Room, RoomEvent, setLogLevel } from 'livekit-client';
import { useCallback, useEffect, useRef, useState } from 'react';
import { Link, useLocation, useParams } from 'react-router';
import * as api from '../../api/calls.ts';
import { ApiError } from '../../api/client.ts';
import { useResource } from '../../api/resource.ts';
import type { Joined, JoinRequest } from '../../api/types.ts';
import { errorText, type Texts, useTexts } from '../../i18n/index.tsx';
import { loginPath } from '../../parts/address.ts';
import { spacedNumber } from '../../parts/format.ts';
import { Gate } from '../../parts/gate.tsx';
import { useSession } from '../../parts/session.tsx';
import { Shell } from '../../parts/shell.tsx';
import { Loading, Notice, Problem } from '../../parts/states.tsx';
import { roomFacts } from './facts.ts';
import { roomOptions } from './devices.ts';
import { Lobby, type Taken } from './lobby.tsx';
import { Over, Returning } from './over.tsx';
import { type Phase, returnDelaysMs, type Seat, why } from './phase.ts';
import { RoomView } from './room.tsx';

setLogLevel(LogLevel.warn);

export function MeetingPage() {
  const { meeting_no = '' } = useParams();
  const { known } = useSession();
  if (known.state === 'loading') return <Loading />;
  return <Meeting meetingNo={meeting_no} key={meeting_no} />;
}

interface JoinProblem {
  text: string;
  field?: 'name' | 'password';
}

function Meeting({ meetingNo }: { meetingNo: string }) {
  const texts = useTexts();
  const { me, ended } = useSession();
  const [phase, setPhase] = useState<Phase>({ at: 'lobby' });
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<JoinProblem | null>(null);
  const [lobbyRound, setLobbyRound] = useState(0);
  const info = useResource(meetingNo, (signal) => api.joinInfo(meetingNo, signal), { every: phase.at === 'lobby' ? 10_000 : 0 });
  const { reload } = info;
  const room = useRef<Room | null>(null);
  useEffect(() => () => void room.current?.disconnect(), []);

  /** Connects and watches for the end; from here on the room says what comes next. */
  const enter = useCallback(
    async (joined: Joined, request: JoinRequest, on: { mic: boolean; camera: boolean }, tracks: Taken, chosen: { camera?: string; mic?: string }) => {
      const r = new Room(roomOptions(chosen));
      const seat: Seat = { joined, request, recorded: false, ...on };
      const watch = () => {
        seat.mic = r.localParticipant.isMicrophoneEnabled;
        seat.camera = r.localParticipant.isCameraEnabled;
      };
      r.on(RoomEvent.RoomMetadataChanged, () => (seat.recorded ||= roomFacts(r.metadata).recording));
      for (const event of [RoomEvent.TrackMuted, RoomEvent.TrackUnmuted, RoomEvent.LocalTrackPublished] as const) r.on(event, watch);
      await r.connect(joined.server_url, joined.token);
      seat.recorded ||= roomFacts(r.metadata).recording;
      room.current = r;
      r.once(RoomEvent.Disconnected, (reason?: DisconnectReason) => {
        room.current = null;
        const because = why(reason);
        setPhase(because === 'lost' ? { at: 'returning', seat, attempt: 0 } : { at: 'over', why: because, seat });
      });
      setPhase({ at: 'room', room: r, seat });
      await publish(r, on, tracks);
    },
    [],
  );

  const join = async (request: JoinRequest, take: () => Promise<Taken>, chosen: { camera: string; mic: string }) => {
    setBusy(true);
    setProblem(null);
    let tracks: Taken = {};
    try {
      const joined = await api.join(meetingNo, request);
      tracks = await take();
      await enter(joined, request, { mic: !!tracks.mic, camera: !!tracks.camera }, tracks, chosen);
    } catch (cause) {
      tracks.camera?.stop();
      tracks.mic?.stop();
      if (tracks.camera || tracks.mic) setLobbyRound((n) => n + 1); // the lobby opens them anew
      if (cause instanceof ApiError && cause.status === 401) ended();
      if (cause instanceof ApiError && (cause.code === 'expired' || cause.status === 404)) reload();
      setProblem(joinProblem(cause, texts));
    } finally {
      setBusy(false);
    }
  };

  if (phase.at === 'room') {
    return <RoomView room={phase.room} seat={phase.seat} meetingNo={meetingNo} topic={info.data?.topic ?? ''} />;
  }
  if (phase.at === 'returning') {
    return <Comeback phase={phase} meetingNo={meetingNo} enter={enter} setPhase={setPhase} />;
  }
  if (phase.at === 'over') {
    const again = () => {
      setPhase({ at: 'lobby' });
      reload();
    };
    return (
      <Framed>
        <Over why={phase.why} seat={phase.seat} topic={info.data?.topic ?? ''} onAgain={again} />
      </Framed>
    );
  }
  if (info.state === 'loading') return <Loading />;
  if (info.state === 'error') return <NoMeeting error={info.error} meetingNo={meetingNo} onRetry={reload} />;
  if (info.data.status === 'expired') return <Expired owner={info.data.owner_name} />;
  if (!me && !info.data.guests_allowed) return <MembersOnly topic={info.data.topic} />;
  return (
    <Framed>
      <Container size={980} px={0} pt={{ base: 0, sm: 'xl' }}>
        <Lobby key={lobbyRound} meetingNo={meetingNo} info={info.data} problem={problem} busy={busy} onJoin={join} />
      </Container>
    </Framed>
  );
}

/** publish sends what was on in the lobby, or opens it anew after a return. A device that fails does not end the meeting. */
async function publish(room: Room, on: { mic: boolean; camera: boolean }, tracks: Taken) {
  const mine = room.localParticipant;
  await Promise.allSettled([
    tracks.mic ? mine.publishTrack(tracks.mic) : on.mic && mine.setMicrophoneEnabled(true),
    tracks.camera ? mine.publishTrack(tracks.camera) : on.camera && mine.setCameraEnabled(true),
  ]);
}

function joinProblem(cause: unknown, texts: Texts): JoinProblem {
  const { t } = texts;
  if (!(cause instanceof ApiError)) return { text: t('nojoin.connect') }; // the WebRTC client's errors mean nothing to people
  switch (cause.code) {
    case 'wrong_password':
      return { text: t('lobby.wrong_password'), field: 'password' };
    case 'not_allowed':
      return { text: t('nojoin.not_allowed') };
    case 'locked':
    case 'full':
      return { text: t(`nojoin.${cause.code}`) };
  }
  if (cause.field === 'name' || cause.field === 'password') return { text: errorText(cause, texts), field: cause.field };
  return { text: cause.status === 401 ? t('lobby.sign_in_needed') : errorText(cause, texts) };
}

/** Comeback joins again with a fresh token after a lost connection, waiting longer each time. */
function Comeback({
  phase,
  meetingNo,
  enter,
  setPhase,
}: {
  phase: Extract<Phase, { at: 'returning' }>;
  meetingNo: string;
  enter: (joined: Joined, request: JoinRequest, on: { mic: boolean; camera: boolean }, tracks: Taken, chosen: object) => Promise<void>;
  setPhase: (p: Phase) => void;
}) {
  const { seat, attempt } = phase;
  useEffect(() => {
    let stopped = false;
    const over = (why: 'ended' | 'lost') => setPhase({ at: 'over', why, seat });
    const timer = setTimeout(async () => {
      try {
        const joined = await api.join(meetingNo, seat.request);
        if (!stopped) await enter(joined, seat.request, seat, {}, {});
      } catch (cause) {
        if (stopped) return;
        if (cause instanceof ApiError && cause.status >= 400 && cause.status < 500 && cause.status !== 429)
          over(cause.code === 'expired' || cause.status === 404 ? 'ended' : 'lost');
        else if (attempt + 1 >= returnDelaysMs.length) over('lost');
        else setPhase({ at: 'returning', seat, attempt: attempt + 1 });
      }
    }, returnDelaysMs[attempt]);
    return () => {
      stopped = true;
      clearTimeout(timer);
    };
  }, [seat, attempt, meetingNo, enter, setPhase]);
  return (
    <Framed>
      <Returning attempt={attempt + 1} of={returnDelaysMs.length} onStop={() => setPhase({ at: 'over', why: 'lost', seat })} />
    </Framed>
  );
}

/** People with an account see the frame they know, guests only the logo. */
function Framed({ children }: { children: React.ReactNode }) {
  const { me } = useSession();
  if (!me) return <Gate width={1040}>{children}</Gate>;
  return (
    <Shell width={1040} quiet>
      {children}
    </Shell>
  );
}

function NoMeeting({ error, meetingNo, onRetry }: { error: ApiError; meetingNo: string; onRetry: () => void }) {
  const { t } = useTexts();
  const here = useLocation();
  const { me } = useSession();
  if (error.status === 409 || error.status === 410) return <Expired />;
  return (
    <Gate>
      {error.status === 404 ? (
        <Notice
          title={t('nojoin.missing_title')}
          text={t('nojoin.missing_text', { no: spacedNumber(meetingNo) })}
          icon={<IconSearchOff size={44} stroke={1.4} aria-hidden />}
          home
          testId="no-such-meeting"
        />
      ) : (
        <Stack>
          <Problem error={error} onRetry={onRetry} />
          {!me && error.status === 401 && (
            <Box>
              <Anchor component={Link} to={loginPath(here)}>
                {t('lobby.sign_in')}
              </Anchor>
            </Box>
          )}
        </Stack>
      )}
    </Gate>
  );
}

/** Nobody is asked for a camera before it is known that they may come in. */
function MembersOnly({ topic }: { topic: string }) {
  const { t } = useTexts();
  const here = useLocation();
  return (
    <Gate>
      <Notice
        title={topic || t('home.no_topic')}
        text={t('lobby.sign_in_needed')}
        icon={<IconLock size={44} stroke={1.4} aria-hidden />}
        testId="lobby-login-needed"
      >
        <Button component={Link} to={loginPath(here)} size="md">
          {t('lobby.sign_in')}
        </Button>
      </Notice>
    </Gate>
  );
}

function Expired({ owner }: { owner?: string }) {
  const { t } = useTexts();
  return (
    <Gate>
      <Notice
        title={t('nojoin.expired_title')}
        text={owner ? t('nojoin.expired_text', { name: owner }) : t('nojoin.expired_text_unknown')}
        icon={<IconCalendarOff size={44} stroke={1.4} aria-hidden />}
        home
        testId="meeting-expired"
      />
    </Gate>
  );
}
