import type { Room } from 'livekit-client';

/** Rooms in which the person themselves is switching the microphone off right now; else it was the host. */
export const selfMuting = new WeakSet<Room>();

/** setMicrophone switches the own microphone and marks that it was oneself. */
export async function setMicrophone(room: Room, on: boolean): Promise<void> {
  selfMuting.add(room);
  try {
    await room.localParticipant.setMicrophoneEnabled(on);
  } finally {
    selfMuting.delete(room);
  }
}
