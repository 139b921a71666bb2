"""The eight classes of the hand-drawn emoji paper, in its order."""

from retable.classification.subject import ClassList

FACES = ClassList(
    names=(
        "slightly_smiling_face",
        "smiling_face_with_heart_eyes",
        "neutral_face",
        "angry_face",
        "face_with_tears_of_joy",
        "winking_face",
        "face_with_tongue",
        "frowning_face",
    ),
    titles=(  # as Table II prints them
        "Slightly Smiling Face",
        "Smiling Face with Heart-Eyes",
        "Neutral Face",
        "Angry Face",
        "Face with Tears of Joy",
        "Winking Face",
        "Face with Tongue",
        "Frowning Face",
    ),
    captions=("smiling", "heart eyes", "neutral", "angry", "tears of joy", "winking", "tongue", "frowning"),
)
CLASSES = FACES.names
