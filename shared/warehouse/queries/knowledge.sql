-- Facts that people stated, each as it stands now. Kinds of a later version are left out.
SELECT *
FROM
(
    SELECT *
    FROM knowledge
    WHERE kind IN {kinds:Array(String)} AND ({id:String} = '' OR knowledge_id = {id:String})
    ORDER BY revoked DESC
    LIMIT 1 BY knowledge_id
)
ORDER BY created_at, knowledge_id
