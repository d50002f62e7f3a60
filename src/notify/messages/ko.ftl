# What customers are told in Korean. `.subject` is for e-mail.
# $code, $show, $branch, $starts_at, $seats, $total and, for a transfer, $pay_by and $account; $payment is transfer,
# on-site or nothing.

placed = [{ $branch }] { $payment ->
        [transfer] 예약이 접수되었습니다. { $show }, { $starts_at }, { $seats }. 예약 번호 { $code }. { $pay_by }까지 { $total }을(를) { $account }으로(로) 입금해 주세요.
        [on-site] 예약이 완료되었습니다. { $show }, { $starts_at }, { $seats }. 예약 번호 { $code }. { $total }은(는) 현장에서 결제해 주세요.
       *[nothing] 예약이 완료되었습니다. { $show }, { $starts_at }, { $seats }. 예약 번호 { $code }.
    }
    .subject = 예약 { $code }: { $show }
payment-due = [{ $branch }] 예약 { $code }의 입금 기한이 곧 끝납니다. { $pay_by }까지 { $total }을(를) { $account }으로(로) 입금해 주세요. 입금되지 않으면 예약이 만료됩니다.
    .subject = 예약 { $code }: 입금 기한 안내
paid = [{ $branch }] 예약 { $code }의 결제가 확인되었습니다. { $show }, { $starts_at }, { $seats }.
    .subject = 예약 { $code }: 결제 확인
cancelled = [{ $branch }] 예약 { $code }이(가) 취소되었습니다. { $show }, { $starts_at }.
    .subject = 예약 { $code }: 취소
expired = [{ $branch }] 예약 { $code }이(가) 기한 안에 입금되지 않아 만료되었습니다. { $show }, { $starts_at }.
    .subject = 예약 { $code }: 만료
