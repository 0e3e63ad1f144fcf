// The room as the page reads it: plain values, computed anew whenever the SFU tells of a change.

import { ParticipantKind, type Participant, type Room, RoomEvent, Track, type TrackPublication } from 'livekit-client';
import { useEffect, useMemo, useReducer, useState } from 'react';
import { isGuest, isHost, roomFacts, type RoomFacts } from './facts.ts';

/** One person in the meeting. */
export interface Person {
  participant: Participant;
  identity: string;
  name: string;
  local: boolean;
  host: boolean;
  guest: boolean;
  mic: boolean;
  camera: boolean;
}

export interface Share {
  person: Person;
  publication: TrackPublication;
}

export interface Live {
  facts: RoomFacts;
  /** In the order they joined, oneself first. */
  people: Person[];
  me: Person;
  /** Screens that are shared, the newest first. */
  shares: Share[];
}

const changes = [
  RoomEvent.Connected,
  RoomEvent.Reconnected,
  RoomEvent.ParticipantConnected,
  RoomEvent.ParticipantDisconnected,
  RoomEvent.ParticipantNameChanged,
  RoomEvent.ParticipantAttributesChanged,
  RoomEvent.RoomMetadataChanged,
  RoomEvent.TrackPublished,
  RoomEvent.TrackUnpublished,
  RoomEvent.TrackSubscribed,
  RoomEvent.TrackUnsubscribed,
  RoomEvent.TrackMuted,
  RoomEvent.TrackUnmuted,
  RoomEvent.LocalTrackPublished,
  RoomEvent.LocalTrackUnpublished,
] as const;

/** useLive re-renders on every change that can be seen, except who speaks, which each tile watches for itself. */
export function useLive(room: Room): Live {
  const [round, changed] = useReducer((n: number) => n + 1, 0);
  useEffect(() => {
    for (const event of changes) room.on(event, changed);
    changed(); // something may have happened between the first render and now
    return () => {
      for (const event of changes) room.off(event, changed);
    };
  }, [room]);
  // round stands for everything the room holds
  return useMemo(() => readLive(room), [room, round]);
}

function readLive(room: Room): Live {
  const facts = roomFacts(room.metadata);
  const others = [...room.remoteParticipants.values()]
    .filter((p) => p.kind !== ParticipantKind.EGRESS && p.kind !== ParticipantKind.AGENT)
    .sort((a, b) => (a.joinedAt?.getTime() ?? 0) - (b.joinedAt?.getTime() ?? 0) || a.identity.localeCompare(b.identity));
  const me = person(room.localParticipant, facts, true);
  const people = [me, ...others.map((p) => person(p, facts, false))];
  return { facts, people, me, shares: people.flatMap(sharesOf).reverse() };
}

function person(p: Participant, facts: RoomFacts, local: boolean): Person {
  return {
    participant: p,
    identity: p.identity,
    name: p.name || p.identity,
    local,
    host: isHost(facts, p.identity, p.attributes),
    guest: isGuest(p.attributes),
    mic: p.isMicrophoneEnabled,
    camera: p.isCameraEnabled,
  };
}

function sharesOf(p: Person): Share[] {
  const publication = p.participant.getTrackPublication(Track.Source.ScreenShare);
  return publication?.track && !publication.isMuted ? [{ person: p, publication }] : [];
}

/** How long somebody stays large at least, so that a cough does not move the picture. */
const holdMs = 1500;

/** useSpeakers lists the identities that spoke lately, the last first. The local person is left out. */
export function useSpeakers(room: Room, keep = 12): string[] {
  const [spoke, setSpoke] = useState<string[]>([]);
  useEffect(() => {
    let last = 0;
    const listen = (speakers: Participant[]) => {
      const loudest = speakers.find((p) => !p.isLocal)?.identity;
      const now = performance.now();
      if (!loudest || now - last < holdMs) return;
      last = now;
      setSpoke((old) => (old[0] === loudest ? old : [loudest, ...old.filter((id) => id !== loudest)].slice(0, keep)));
    };
    room.on(RoomEvent.ActiveSpeakersChanged, listen);
    return () => {
      room.off(RoomEvent.ActiveSpeakersChanged, listen);
    };
  }, [room, keep]);
  return spoke;
}
